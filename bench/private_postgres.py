"""A PostgreSQL server of the benchmark's own, and its tables."""
import os, signal, socket, subprocess, sys, threading

SETTINGS = ["listen_addresses=127.0.0.1", "shared_buffers=512MB", "max_wal_size=8GB", "autovacuum=off", "timezone=UTC",
            "max_connections=60", "fsync=off", "synchronous_commit=off", "log_min_messages=warning", "lc_messages=C"]

# Row 1 is fixed: by it the destinations are asked what became of a numeric(12,2) and of microseconds.
AMOUNT, CREATED = "1234567890.10", "2025-01-02 03:04:05.123456+00"

TABLE = """
CREATE TABLE {name} (
  id bigint PRIMARY KEY, customer_id int NOT NULL, status text NOT NULL, amount numeric(12,2) NOT NULL,
  currency char(3) NOT NULL, note text NOT NULL, tags jsonb NOT NULL, created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL, is_gift boolean NOT NULL);
SELECT setseed(0.7);
INSERT INTO {name} SELECT i, 1 + floor(random() * 100000)::int, (ARRAY['paid','shipped','open','returned'])[1 + i % 4],
  (100 + floor(random() * 9999900))::numeric / 100, (ARRAY['EUR','USD','GBP'])[1 + i % 3],
  substr(md5(i::text) || ' ' || md5((i * 7)::text), 1, 60),
  jsonb_build_object('channel', (ARRAY['web','shop','phone'])[1 + i % 3], 'priority', i % 10, 'campaign', i % 500),
  timestamptz '2025-01-01 00:00:00+00' + i * interval '{step} microseconds',
  timestamptz '2025-01-01 00:00:00+00' + i * interval '{step} microseconds' + (i % 1000) * interval '1.000003 seconds',
  i % 9 = 0 FROM generate_series(1, {rows}) AS i;
UPDATE {name} SET amount = {amount}, created_at = '{created}' WHERE id = 1;
CREATE INDEX ON {name} (updated_at);
"""


def programs():
    """The folder of PostgreSQL's programs."""
    named = os.environ.get("INLET_TEST_POSTGRES_BIN")
    if named:
        return named
    root = "/usr/lib/postgresql"
    versions = sorted((int(each) for each in os.listdir(root) if each.isdigit()) if os.path.isdir(root) else [])
    if not versions:
        sys.exit("PostgreSQL is missing (apt-get install postgresql, or name its folder in INLET_TEST_POSTGRES_BIN)")
    return os.path.join(root, str(versions[-1]), "bin")


class Server:
    """Started in a folder; ended by `end`. Later settings win; `access` are lines of pg_hba.conf."""

    def __init__(self, folder, settings=(), access="", name="postgres"):
        self.bin, self.folder, self.data = programs(), folder, os.path.join(folder, name)
        self.settings, self.access, self.log = [*SETTINGS, *settings], access, []
        # PostgreSQL does not run as root.
        self.account = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        os.mkdir(self.data, 0o700)
        if self.account:
            os.chmod(folder, 0o755)
            subprocess.run(["chown", "postgres:postgres", self.data], check=True)
        self.fill()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.start()
        self.version = self.ask("postgres", "SHOW server_version").split()[0]

    def fill(self, *more):
        """Makes its data."""
        self.run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", *more)
        with open(os.path.join(self.data, "pg_hba.conf"), "a") as hba:
            hba.write(self.access)

    def run(self, program, *arguments):
        """Runs one of PostgreSQL's programs to its end."""
        done = subprocess.run([f"{self.bin}/{program}", *arguments], capture_output=True, text=True, cwd=self.folder, **self.account)
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed:\n{done.stdout}{done.stderr}")

    def start(self):
        command = [f"{self.bin}/postgres", "-D", self.data, "-k", self.data, "-p", str(self.port)]
        for setting in self.settings:
            command += ["-c", setting]
        self.process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **self.account)
        errors = self.process.stderr
        for line in errors:
            self.log.append(line)
            # A standby accepts "read-only connections".
            if "ready to accept " in line:
                break
        else:
            raise RuntimeError("PostgreSQL did not start:\n" + "".join(self.log))
        threading.Thread(target=lambda: self.log.extend(errors), daemon=True).start()

    def url(self, database, scheme="postgres"):
        return f"{scheme}://postgres@127.0.0.1:{self.port}/{database}"

    def psql(self, database, sql):
        """The command that runs this SQL."""
        return [f"{self.bin}/psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", database,
                "-v", "ON_ERROR_STOP=1", "-qAtX", "-c", sql]

    def ask(self, database, sql):
        done = subprocess.run(self.psql(database, sql), capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{sql}\n{done.stderr}")
        return done.stdout.strip()

    def hosts(self, host):
        """Where it is for whoever reaches this machine at that address."""
        return [f"{host}:{self.port}"]

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait()

    def make_orders(self, rows, with_twenty):
        """`shop.orders`, one large table, and if so the database `twenty` with as many rows in twenty tables."""
        for database, tables in [("shop", ["orders"]), *([("twenty", TWENTY)] if with_twenty else [])]:
            self.ask("postgres", f"CREATE DATABASE {database}")
            for name in tables:
                share = rows // len(tables)
                # All lie in the past, however many: what changes later is newer.
                step = 17_123_457 * 1_000_000 // max(share, 1_000_000)
                self.ask(database, TABLE.format(name=name, rows=share, step=step, amount=AMOUNT, created=CREATED))
            self.ask(database, "VACUUM (ANALYZE)")
        self.ask("postgres", "CHECKPOINT")

    def table_bytes(self):
        return int(self.ask("shop", "SELECT pg_table_size('orders')"))

    def change(self, rows, round_number):
        """Changes some rows all over the table, as an application would: now, and not in order of the key."""
        step = max(1, int(self.ask("shop", "SELECT max(id) FROM orders")) // rows)
        where = f"id % {step} = {2 + round_number} % {step}"
        changed = f"WITH changed AS (UPDATE orders SET amount = amount + 1, updated_at = clock_timestamp() WHERE {where} RETURNING 1)"
        return int(self.ask("shop", f"{changed} SELECT count(*) FROM changed"))


TWENTY = [f"orders_{number:02}" for number in range(1, 21)]
