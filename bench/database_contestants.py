"""Who brings `orders` from one database into another of the same PostgreSQL: Inlet as a running server, the others as whole processes."""
import os, re, subprocess, sys, time

import orders_peers, private_postgres, processes, servers

orders_peers.PACKAGES["dlt-postgres"] = [*orders_peers.PACKAGES["dlt"], "adbc-driver-postgresql==1.13.0", "adbc-driver-manager==1.13.0"]
COLLECTION = "/v1/spaces/default/collections/orders"


class Target:
    """A contestant with a database of its own, which is made anew for a workload that begins with nothing."""

    kind, once = "peer", False
    workloads = ("first", "refresh", "incremental")

    def database(self):
        return "into_" + re.sub("[^a-z]+", "_", self.name.lower())

    def begin(self):
        """An empty database."""
        self.server.ask("postgres", f"DROP DATABASE IF EXISTS {self.database()} WITH (FORCE)")
        self.server.ask("postgres", f"CREATE DATABASE {self.database()}")

    def end(self):
        self.server.ask("postgres", f"DROP DATABASE IF EXISTS {self.database()} WITH (FORCE)")

    def stored_mb(self):
        """What came to an empty database."""
        return int(self.server.ask("postgres", f"SELECT pg_database_size('{self.database()}') - pg_database_size('template1')")) / 1e6

    def found(self):
        """Rows, and the sum of their amounts in cents."""
        return self.server.ask(self.database(), f"SELECT count(*), round(sum(amount) * 100)::bigint FROM {self.table}")


class Inlet(Target):
    """A server over a database of its own, started before the clock; a sync is triggered, and waited for."""

    kind, name = "inlet", "Inlet"

    def __init__(self, server, options):
        self.server, self.options, self.running, self.own = server, options, None, []

    def prepare(self):
        if not os.path.exists(self.options.inlet):
            raise processes.Failed(f"{self.options.inlet} is missing (cargo build --release)")

    def begin(self):
        self.stop()
        super().begin()
        self.running = servers.Server(self.options.inlet, self.options.folder, "inlet", self.server.url(self.database()))
        self.running.call("POST", "/v1/spaces/default/collections", {"id": "orders", "name": "orders"})
        config = {"host": "127.0.0.1", "port": self.server.port, "database": "shop", "user": "postgres", "ssl_mode": "disable"}
        body = {"name": "shop", "type": "postgres", "config": config,
                "streams": [{"name": "public.orders", "primary_key": ["id"], "cursor_field": "updated_at"}]}
        self.connector = self.running.call("POST", f"{COLLECTION}/connectors", body)["id"]

    def run(self, workload, folder):
        syncs = f"{COLLECTION}/connectors/{self.connector}/sync"
        watch, before, begun = processes.Watch(self.running.pid), servers.cpu_seconds(self.running.pid), time.monotonic()
        try:
            mode = "full_refresh" if workload == "refresh" else "incremental"
            sync = self.running.finished(f"{syncs}/{self.running.call('POST', syncs, {'mode': mode})['id']}")
        finally:
            seconds, cpu, peak = time.monotonic() - begun, servers.cpu_seconds(self.running.pid) - before, watch.end()
        change, rows = {"refresh": ("unchanged", self.options.rows), "incremental": ("updated", self.options.changed)}.get(
            workload, ("created", self.options.rows))
        if sync["status"] != "succeeded" or sync["counts"][change] != rows or sync["counts"]["rejected"]:
            raise processes.Failed(f"{workload}: {rows} {change} were expected, but: {sync}")
        self.own.append((workload, (servers.milliseconds(sync["finished_at"]) - servers.milliseconds(sync["started_at"])) / 1000))
        return processes.Measured(seconds, cpu, peak / 1e6, "")

    def found(self):
        rows = cents = 0
        export = [self.options.inlet, "export", "orders", "--url", self.running.url, "--format", "ndjson"]
        process = subprocess.Popen(export, stdout=subprocess.PIPE)
        for line in process.stdout:
            rows += 1
            cents += int(re.search(rb'"amount":(\d+\.\d\d)', line)[1].replace(b".", b""))
        if process.wait() != 0:
            raise processes.Failed("the records could not be read")
        return f"{rows}|{cents}"

    def stop(self):
        if self.running:
            self.running.end()
            self.running = None

    def end(self):
        self.stop()
        super().end()


class Ingestr(Target, orders_peers.Ingestr):
    table = "public.orders"

    def __init__(self, server, options):
        orders_peers.Peer.__init__(self, server, options)
        self.name = "ingestr"

    def prepare(self):
        orders_peers.environment("ingestr")

    def environment(self, folder):
        return {"HOME": folder, "DISABLE_TELEMETRY": "true"}

    def command(self, workload, folder):
        program = os.path.join(orders_peers.environment("ingestr"), "bin", "ingestr")
        command = [program, "ingest", "--source-uri", self.server.url("shop", "postgresql") + "?sslmode=disable",
                   "--source-table", "public.orders", "--dest-uri", self.server.url(self.database(), "postgresql") + "?sslmode=disable",
                   "--dest-table", self.table, "--progress", "log", "--yes"]
        if workload.startswith("incremental"):
            command += ["--incremental-strategy", "merge", "--incremental-key", "updated_at", "--primary-key", "id"]
        if workload == "incremental":
            # It keeps no state of its own, so it is told where to begin; else it reads everything again.
            command += ["--interval-start", self.options.changed_after]
        return command


class Sling(Target, orders_peers.Sling):
    name, table = "Sling", "public.orders"

    def environment(self, folder):
        return {"HOME": folder, "SLING_DISABLE_TELEMETRY": "TRUE", "SHOP": self.server.url("shop") + "?sslmode=disable",
                "LOADED": self.server.url(self.database()) + "?sslmode=disable"}

    def command(self, workload, folder):
        packages = os.path.join(orders_peers.environment("sling"), "lib", f"python3.{sys.version_info[1]}", "site-packages")
        command = [os.path.join(packages, "sling_linux_amd64", "bin", "sling-linux-amd64"), "run", "--src-conn", "SHOP",
                   "--src-stream", "public.orders", "--tgt-conn", "LOADED", "--tgt-object", self.table, "--mode"]
        if workload.startswith("incremental"):
            return command + ["incremental", "--primary-key", "id", "--update-key", "updated_at"]
        return command + ["full-refresh"]


class Dlt(Target, orders_peers.Dlt):
    table = "orders.orders"

    def __init__(self, server, options, backend, file_format=None):
        orders_peers.Dlt.__init__(self, server, options, backend)
        self.prefix = f"{file_format}+" if file_format else ""
        self.name += f", {file_format}" if file_format else ""

    def prepare(self):
        orders_peers.environment("dlt-postgres")

    def command(self, workload, folder):
        mode = "incremental" if workload.startswith("incremental") else "replace"
        program = os.path.join(orders_peers.environment("dlt-postgres"), "bin", "python")
        # It asks for a password, though the server does not.
        target = self.prefix + self.server.url(self.database(), "postgresql").replace("postgres@", "postgres:none@")
        return [program, os.path.join(orders_peers.HERE, "peers", "dlt_load.py"), self.backend, mode, folder,
                self.server.url("shop", "postgresql+psycopg2"), target, "orders"]


class Copy(Target, orders_peers.Peer):
    """As fast as the server takes from itself, into a logged table with a primary key."""

    kind, name, table, workloads = "limit", "limit: COPY into COPY", "orders", ("first",)

    def begin(self):
        super().begin()
        self.server.ask(self.database(), private_postgres.TABLE.split(";")[0].format(name="orders"))

    def command(self, workload, folder):
        out = self.server.psql("shop", "COPY orders TO STDOUT (FORMAT binary)")
        into = self.server.psql(self.database(), "COPY orders FROM STDIN (FORMAT binary)")
        return ["bash", "-c", 'set -o pipefail; "${@:1:$0}" | "${@:$0 + 1}"', str(len(out)), *out, *into]


def contestants(server, options):
    return [Inlet(server, options), Ingestr(server, options), Sling(server, options), Dlt(server, options, "connectorx"),
            Dlt(server, options, "connectorx", "parquet"), Dlt(server, options, "pyarrow"), Dlt(server, options, "pyarrow", "parquet"),
            Dlt(server, options, "sqlalchemy"), Copy(server, options)]
