"""The rows that fill a catalog, for PostgreSQL and SQLite alike: the one place that knows its tables.

A column that the tables of a version do not have is left out, and one that is not named here gets its default.
"""
import collections, itertools, json, sqlite3, subprocess

BEGAN_MS, ALPHABET = 1_700_000_000_000, "0123456789abcdefghjkmnpqrstvwxyz"
COUNTS = json.dumps(dict.fromkeys(("read", "created", "updated", "unchanged", "deleted", "rejected", "bytes"), 0), separators=(",", ":"))
LARGE = "large"


def identifier(prefix, number, kind):
    """As Inlet makes them: in the order of their time. No two kinds share one."""
    bits = (BEGAN_MS + number) << 80 | 7 << 76 | 2 << 62 | kind << 40 | number
    return prefix + "_" + "".join(ALPHABET[bits >> 5 * place & 31] for place in range(25, -1, -1))


class Rows:
    """So many connectors: a tenth in the collection `large`, the others spread evenly. Each of the first collections is in another space."""

    def __init__(self, connectors, spaces, collections, queued):
        self.connectors, self.spaces, self.collections, self.queued = connectors, spaces, collections, queued
        self.large = connectors // 10

    def place(self, number):
        """Space and collection of a connector."""
        return self.collection(0 if number < self.large else 1 + number % (self.collections - 1))

    def collection(self, number):
        return f"space{number % self.spaces}", LARGE if number == 0 else f"c{number}"

    def of_spaces(self):
        for number in range(self.spaces):
            yield {"id": f"space{number}", "name": f"space {number}", "created_at": at(number), "updated_at": at(number)}

    def of_collections(self):
        for number in range(self.collections):
            space, name = self.collection(number)
            yield {"space_id": space, "id": name, "name": name, "store_id": identifier("sto", number, 1), "created_at": at(number), "updated_at": at(number)}

    def of_connectors(self):
        for number in range(self.connectors):
            space, collection = self.place(number)
            store = identifier("sto", 0 if number < self.large else 1 + number % (self.collections - 1), 1)
            yield {"id": identifier("con", number, 2), "space_id": space, "collection_id": collection, "store_id": store,
                   "name": f"connector {number}", "kind": "files", "config": '{"path":"none.jsonl"}', "status": "active", "version": 1,
                   "created_at": at(number), "updated_at": at(number)}

    def of_syncs(self):
        """One waits for each of the first connectors."""
        turns = collections.Counter()
        for number in range(self.queued):
            space = self.place(number)[0]
            turns[space] += 1
            yield {"id": identifier("syn", number, 3), "connector_id": identifier("con", number, 2), "status": "queued", "asked_by": "api",
                   "mode": "incremental", "attempt": 0, "created_at": at(number), "counts": COUNTS, "streams": "[]",
                   "space_id": space, "kind": "files", "turn": turns[space]}

    def of_sync_moves(self):
        for number in range(self.queued):
            yield {"sync_id": identifier("syn", number, 3), "seq": 1, "at": at(number), "to_status": "queued", "cause": "triggered", "attempt": 0}


def at(number):
    """Each a millisecond after the one before."""
    return (BEGAN_MS + number) * 1000


def chosen(rows, table, there):
    """The columns of a table that are to be filled, and their values row by row."""
    lines = getattr(rows, f"of_{table}")()
    first = next(lines)
    columns = [name for name in first if name in there]
    return columns, (tuple(row[name] for name in columns) for row in itertools.chain([first], lines))


def fill_postgres(server, database, rows, tables):
    for table in tables:
        there = server.ask(database, f"SELECT string_agg(column_name, ',') FROM information_schema.columns WHERE table_name = '{table}'").split(",")
        columns, lines = chosen(rows, table, there)
        copy = subprocess.Popen(server.psql(database, f"COPY {table} ({','.join(columns)}) FROM STDIN"), stdin=subprocess.PIPE, text=True)
        copy.stdin.writelines("\t".join(map(str, line)) + "\n" for line in lines)
        copy.stdin.close()
        if copy.wait() != 0:
            raise SystemExit(f"{table} could not be filled")
    server.ask(database, "VACUUM (ANALYZE)")
    server.ask(database, "CHECKPOINT")


def fill_sqlite(path, rows, tables):
    """The file of a server that does not run."""
    database = sqlite3.connect(path)
    for table in tables:
        columns, lines = chosen(rows, table, [each[1] for each in database.execute(f"PRAGMA table_info({table})")])
        with database:
            database.executemany(f"INSERT INTO {table} ({','.join(columns)}) VALUES ({','.join('?' * len(columns))})", lines)
    database.close()
