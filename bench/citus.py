"""PostgreSQL with Citus, which is there: a coordinator, and workers on which the rows of collections lie."""
import subprocess

from private_postgres import Server

# The extension's defaults ask for TLS between its servers.
SETTINGS = ["shared_preload_libraries=citus", "max_prepared_transactions=400", "max_locks_per_transaction=256", "citus.node_conninfo=sslmode=disable",
            "citus.enable_statistics_collection=off"]

# As docs/scaling.md has it.
DISTRIBUTE = r"""
SELECT create_distributed_table('store_meta', 'store', colocate_with => 'none');
SELECT create_distributed_table(oid::regclass, 'store', colocate_with => 'store_meta') FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname LIKE 'store\_%' AND relname <> 'store_meta';
"""


class Citus(Server):
    """The coordinator; `end` ends the workers too."""

    def __init__(self, folder, settings, access, workers):
        super().__init__(folder, [*settings, *SETTINGS], access)
        self.workers = [Server(folder, [*settings, *SETTINGS], access, f"worker{number}") for number in range(workers)]
        for server in [self, *self.workers]:
            server.ask("postgres", "CREATE EXTENSION citus")
        self.ask("postgres", f"SELECT citus_set_coordinator_host('127.0.0.1', {self.port})")
        for worker in self.workers:
            self.ask("postgres", f"SELECT citus_add_node('127.0.0.1', {worker.port})")

    def make_tables(self, inlet):
        subprocess.run([inlet, "migrate", "--without-partitions", "--database-url", self.url("postgres")], check=True, stdout=subprocess.DEVNULL)
        self.ask("postgres", DISTRIBUTE)

    def says(self):
        """Where the keys of records lie."""
        shards = self.ask("postgres", "SELECT string_agg(count || ' shards with ' || size || ' MB', ', ') FROM ("
                          "SELECT count(*), (sum(shard_size) / 1048576)::int AS size FROM citus_shards WHERE table_name = 'store_keys'::regclass "
                          "GROUP BY nodeport ORDER BY nodeport) AS of_workers")
        here = self.ask("postgres", "SELECT pg_relation_size('store_keys')")
        version = self.ask("postgres", "SELECT split_part(citus_version(), ' on ', 1)")
        return f"{version}: the keys of records lie in {shards} of the workers, {here} bytes on the coordinator"

    def end(self):
        super().end()
        for worker in self.workers:
            worker.end()
