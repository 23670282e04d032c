"""Inlet as a contestant, as a whole process and inside a running server; and the limits of the machine."""
import json, os, re, subprocess, sys, time, urllib.request

import processes
from orders_peers import Peer, fidelity, micros_of


class Inlet(Peer):
    kind, name = "inlet", "Inlet"

    def prepare(self):
        binary = self.options.inlet
        if not os.path.exists(binary):
            raise processes.Failed(f"{binary} is missing (cargo build --release)")

    def environment(self, folder):
        # Settings of a server on this machine are not the benchmark's.
        return {name: "" for name in os.environ if name.startswith("INLET_")}

    def data(self, workload, folder):
        parts = {"incremental_begin": "incremental", "refresh": "first"}
        return os.path.join(folder, parts.get(workload, workload))

    def command(self, workload, folder):
        one = ["--stream", "public.orders"]
        more = {"first": one, "refresh": [*one, "--mode", "full_refresh"], "twenty": []}.get(
            workload, [*one, "--cursor", "updated_at"])
        url = self.server.url("twenty" if workload == "twenty" else "shop")
        return [self.options.inlet, "sync", url, "--into", "orders", *more,
                "--data-dir", self.data(workload, folder), "--output", "json"]

    def run(self, workload, folder):
        measured = processes.run(self.command(workload, folder))
        counts, rows = json.loads(measured.printed)["counts"], self.options.rows
        name, number = {"first": ("created", rows), "twenty": ("created", rows // 20 * 20), "refresh": ("unchanged", rows),
                        "incremental": ("updated", self.options.changed)}.get(workload, ("created", rows))
        if counts[name] != number or counts["rejected"] != 0:
            raise processes.Failed(f"{workload}: {number} {name} were expected, but: {counts}")
        return measured

    def file(self, folder):
        return os.path.join(folder, "first", "collections")

    def found(self, folder):
        data = [os.path.join(folder, each) for each in ("first", "incremental") if os.path.exists(os.path.join(folder, each))]
        where = ["orders", "--data-dir", data[0]]
        one = [self.options.inlet, "records", *where, "--stream", "public.orders", "--key", "1", "--output", "json"]
        text = subprocess.run(one, capture_output=True, text=True, check=True).stdout
        amount, created = (re.search(rf'"{name}":\s*"?([^",}}]+)', text.split('"data"')[1])[1] for name in ("amount", "created_at"))
        rows = cents = 0
        export = [self.options.inlet, "export", *where, "--format", "ndjson"]
        process = subprocess.Popen(export, stdout=subprocess.PIPE)
        for line in process.stdout:
            rows += 1
            cents += int(re.search(rb'"amount":(\d+\.\d\d)', line)[1].replace(b".", b""))
        process.wait()
        return rows, cents, fidelity("text", amount, micros_of(created))

    def in_a_server(self, folder, rounds):
        """Milliseconds from start to finish of incremental syncs of changed rows, triggered by the API."""
        command = [self.options.inlet, "serve", "--auth", "none", "--listen", "127.0.0.1:0",
                   "--data-dir", self.data("incremental", folder)]
        with open(os.path.join(folder, "serve.log"), "w") as log:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            root = re.search(r"http://\S+", process.stdout.readline())[0]
            connectors = f"{root}/v1/spaces/default/collections/orders/connectors"
            syncs = f"{connectors}/{call(connectors)['data'][0]['id']}/sync"
            return [self.one_in_a_server(syncs, number) for number in range(rounds)]
        finally:
            process.terminate()
            process.wait()

    def one_in_a_server(self, syncs, number):
        changed = self.server.change(1000, 100 + number)
        begun = time.monotonic()
        sync = call(syncs, b"{}")
        while sync["status"] in ("queued", "running"):
            time.sleep(0.005)
            sync = call(f"{syncs}/{sync['id']}")
        seen = (time.monotonic() - begun) * 1000
        if sync["status"] != "succeeded" or sync["counts"]["updated"] != changed:
            raise processes.Failed(f"a sync in a server: {sync}")
        return milliseconds(sync["finished_at"]) - milliseconds(sync["started_at"]), seen


def call(url, body=None):
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def milliseconds(text):
    hours, minutes, seconds = text.split("T")[1].rstrip("Z").split(":")
    return (int(hours) * 60 + int(minutes)) * 60_000 + round(float(seconds) * 1000)


class Copy(Peer):
    """As fast as the server gives the rows away."""

    kind, name, workloads = "limit", "limit: COPY to /dev/null", ("first",)

    def command(self, workload, folder):
        return ["sh", "-c", 'exec "$@" > /dev/null', "sh", *self.server.psql("shop", "COPY orders TO STDOUT (FORMAT binary)")]


class Inserts(Peer):
    """As fast as SQLite takes them one by one: prepared, in one transaction, the rows read as lines of JSON from a file."""

    kind, name, workloads = "limit", "limit: inserts into SQLite", ("first",)
    program = (
        "import sqlite3,sys\n"
        "db=sqlite3.connect(sys.argv[2]);db.execute('PRAGMA journal_mode=WAL');db.execute('PRAGMA synchronous=FULL')\n"
        "db.execute('CREATE TABLE t(id INTEGER PRIMARY KEY, data TEXT)')\n"
        "db.executemany('INSERT INTO t VALUES(?,?)', enumerate(open(sys.argv[1])))\n"
        "db.commit();db.close()\n")

    def command(self, workload, folder):
        return [sys.executable, "-c", self.program, os.path.join(folder, "lines"), self.file(folder)]

    def run(self, workload, folder):
        with open(os.path.join(folder, "lines"), "wb") as out:
            subprocess.run(self.server.psql("shop", "SELECT row_to_json(o) FROM orders o"), stdout=out, check=True)
        return super().run(workload, folder)

    def file(self, folder):
        return os.path.join(folder, "plain.db")
