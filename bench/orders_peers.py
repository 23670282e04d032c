"""Who else brings `orders` from PostgreSQL into an embedded database: installed where they are missing, and called alike.

Each contestant has a folder of its own for a round and gives a command for each workload. One that cannot be installed says why.
"""
import functools, json, os, re, shutil, sqlite3, subprocess, sys

import processes
from private_postgres import AMOUNT, TWENTY

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(os.path.dirname(HERE), "target", "tools", "bench-orders")

# The newest whose packages hold the program itself, where newer ones fetch it at their first start.
PACKAGES = {
    "dlt": ["dlt[duckdb]==1.31.0", "duckdb==2.0.0", "connectorx==0.4.6", "pyarrow==26.0.1", "SQLAlchemy==2.1.9",
            "psycopg2-binary==2.9.13", "pandas==3.1.1", "numpy==2.4.6"],
    "ingestr": ["ingestr==1.1.15"],
    "sling": ["sling==1.4.11", "sling-linux-amd64==1.4.11"],
}
# The library of DuckDB, which ingestr otherwise fetches when it runs.
LIBDUCKDB = "@duckdb/node-bindings-linux-x64@1.5.6-r.1"
MANIFEST = """manifest_version = 1
name = "DuckDB"
version = "1.5.6"
[ADBC]
version = "1.1.0"
[Driver]
entrypoint = "duckdb_adbc_init"
[Driver.shared]
linux_amd64 = "{library}"
"""


def quietly(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise processes.Failed(f"{' '.join(command)}: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")


@functools.cache
def environment(name):
    """The virtual environment of a peer, made once."""
    folder, packages = os.path.join(FOLDER, name), "\n".join(PACKAGES[name])
    stamp = os.path.join(folder, ".packages")
    if not os.path.exists(stamp) or open(stamp).read() != packages:
        print(f"installing {', '.join(PACKAGES[name])}", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        quietly([sys.executable, "-m", "venv", folder])
        quietly([os.path.join(folder, "bin", "pip"), "install", "--quiet", "--disable-pip-version-check", *PACKAGES[name]])
        with open(stamp, "w") as out:
            out.write(packages)
    return folder


@functools.cache
def duckdb_driver():
    """The folder of the manifest by which ingestr finds DuckDB."""
    folder = os.path.join(FOLDER, "duckdb")
    library = os.path.join(folder, "node_modules", LIBDUCKDB.rsplit("@", 1)[0], "libduckdb.so")
    if not os.path.exists(library):
        os.makedirs(folder, exist_ok=True)
        quietly(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder, LIBDUCKDB])
    with open(os.path.join(folder, "duckdb.toml"), "w") as out:
        out.write(MANIFEST.format(library=library))
    return folder


def stored(path):
    """The bytes of a file, or of all files in a folder."""
    if os.path.isfile(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(path) for name in names)


def fidelity(numeric_type, amount, micros):
    """What became of a numeric(12,2), and of microseconds."""
    exact = numeric_type.startswith("DECIMAL") or numeric_type == "text"
    number = ("exact" if amount == AMOUNT else f"changed: {amount}") if exact else "float"
    return number, {"123456": "kept", "123000": "cut to ms"}.get(f"{micros % 1_000_000:06}", "lost")


class Peer:
    """A contestant. A workload that it has no command for is left out; `once` says that a round of it is enough."""

    kind, once = "peer", False
    workloads = ("first", "refresh", "incremental", "twenty")

    def __init__(self, server, options):
        self.server, self.options = server, options

    def prepare(self):
        """Makes ready what it needs, or raises `Failed`."""

    def environment(self, folder):
        return {"HOME": folder}

    def run(self, workload, folder):
        return processes.run(self.command(workload, folder), self.environment(folder))


class Dlt(Peer):
    def __init__(self, server, options, backend):
        super().__init__(server, options)
        self.backend, self.name = backend, f"dlt, {backend}"
        if backend == "sqlalchemy":
            # It takes minutes and gigabytes: once is enough to see where it stands.
            self.name, self.once, self.workloads = "dlt, default", True, ("first",)

    def prepare(self):
        environment("dlt")

    def environment(self, folder):
        return {"HOME": folder, "RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}

    def command(self, workload, folder):
        mode = "incremental" if workload.startswith("incremental") else "replace"
        database, tables = ("twenty", TWENTY) if workload == "twenty" else ("shop", ["orders"])
        url = self.server.url(database, "postgresql+psycopg2")
        program = os.path.join(environment("dlt"), "bin", "python")
        return [program, os.path.join(HERE, "peers", "dlt_load.py"), self.backend, mode, folder, url, self.file(folder), *tables]

    def file(self, folder):
        return os.path.join(folder, "loaded.duckdb")

    def found(self, folder):
        return ask_duckdb(self.file(folder), "orders.orders")


class Ingestr(Peer):
    def __init__(self, server, options, target):
        super().__init__(server, options)
        self.target, self.name = target, f"ingestr, {'DuckDB' if target == 'duckdb' else 'SQLite'}"
        if target == "sqlite":
            self.workloads = ("first", "refresh", "incremental")

    def prepare(self):
        environment("ingestr"), duckdb_driver()

    def environment(self, folder):
        return {"HOME": folder, "ADBC_DRIVER_PATH": duckdb_driver(), "DISABLE_TELEMETRY": "true"}

    def command(self, workload, folder):
        program = os.path.join(environment("ingestr"), "bin", "ingestr")
        if workload == "twenty":
            url = self.server.url("twenty", "postgresql") + "?sslmode=disable"
            return [os.path.join(HERE, "peers", "ingestr_each"), program, url, folder, *TWENTY]
        command = [program, "ingest", "--source-uri", self.server.url("shop", "postgresql") + "?sslmode=disable",
                   "--source-table", "public.orders", "--dest-uri", f"{self.target}:///{self.file(folder)}",
                   "--dest-table", "main.orders", "--progress", "log", "--yes"]
        if workload.startswith("incremental"):
            command += ["--incremental-strategy", "merge", "--incremental-key", "updated_at", "--primary-key", "id"]
        if workload == "incremental":
            # It keeps no state of its own, so it is told where to begin; else it reads everything again.
            command += ["--interval-start", self.options.changed_after]
        return command

    def file(self, folder):
        return os.path.join(folder, f"loaded.{self.target}")

    def found(self, folder):
        ask = ask_duckdb if self.target == "duckdb" else ask_sqlite
        return ask(self.file(folder), "orders")


class Sling(Peer):
    name = "Sling, SQLite"

    def prepare(self):
        environment("sling")

    def environment(self, folder):
        sqlite = shutil.which("sqlite3")
        return {"HOME": folder, "SLING_DISABLE_TELEMETRY": "TRUE", **({"SQLITE_PATH": sqlite} if sqlite else {}),
                "SHOP": self.server.url("shop") + "?sslmode=disable", "TWENTY": self.server.url("twenty") + "?sslmode=disable",
                "LOADED": f"sqlite://{self.file(folder)}"}

    def command(self, workload, folder):
        packages = os.path.join(environment("sling"), "lib", f"python3.{sys.version_info[1]}", "site-packages")
        program = os.path.join(packages, "sling_linux_amd64", "bin", "sling-linux-amd64")
        if workload == "twenty":
            path = os.path.join(folder, "replication.json")
            streams = {f"public.{name}": {"object": f"main.{name}"} for name in TWENTY}
            with open(path, "w") as out:
                json.dump({"source": "TWENTY", "target": "LOADED", "defaults": {"mode": "full-refresh"}, "streams": streams}, out)
            return [program, "run", "-r", path]
        command = [program, "run", "--src-conn", "SHOP", "--src-stream", "public.orders", "--tgt-conn", "LOADED",
                   "--tgt-object", "main.orders", "--mode"]
        if workload.startswith("incremental"):
            return command + ["incremental", "--primary-key", "id", "--update-key", "updated_at"]
        return command + ["full-refresh"]

    def file(self, folder):
        return os.path.join(folder, "loaded.db")

    def found(self, folder):
        return ask_sqlite(self.file(folder), "orders")


def ask_duckdb(path, table):
    """The rows of a table, the sum of what `change` counts up, and what became of row 1."""
    sql = (f"SELECT (SELECT count(*) FROM {table}), (SELECT CAST(round(sum(amount) * 100) AS BIGINT) FROM {table}), typeof(amount), "
           f"amount::varchar, epoch_us(created_at) FROM {table} WHERE id = 1")
    python = os.path.join(environment("dlt"), "bin", "python")
    program = os.path.join(HERE, "peers", "ask_duckdb.py")
    done = subprocess.run([python, program, path, sql], capture_output=True, text=True, check=True)
    rows, cents, kind, amount, micros = json.loads(done.stdout)[0]
    return rows, cents, fidelity(kind, amount, micros)


def ask_sqlite(path, table):
    sql = (f"SELECT (SELECT count(*) FROM {table}), (SELECT sum(CAST(round(amount * 100) AS INTEGER)) FROM {table}), typeof(amount), "
           f"amount, created_at FROM {table} WHERE id = 1")
    rows, cents, kind, amount, created = sqlite3.connect(path).execute(sql).fetchone()
    return rows, cents, fidelity(kind, str(amount), micros_of(created))


def micros_of(text):
    """The digits after the second of a time, as microseconds."""
    digits = re.search(r":\d\d\.(\d+)", str(text))
    return int(digits[1].ljust(6, "0")[:6]) if digits else 0


def peers(server, options):
    return [Ingestr(server, options, "duckdb"), Ingestr(server, options, "sqlite"), Sling(server, options),
            Dlt(server, options, "connectorx"), Dlt(server, options, "pyarrow"), Dlt(server, options, "sqlalchemy")]
