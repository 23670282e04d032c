"""Inlet as a running server that a benchmark talks to over one connection that is kept; and who used the processors meanwhile."""
import datetime, http.client, json, os, re, secrets, signal, socket, subprocess, sys, threading, time

import processes

TICKS = os.sysconf("SC_CLK_TCK")
ENCRYPTION_KEY = secrets.token_hex(32)

# A benchmark that is told to end (by `timeout`, say) ends what it has started.
signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end"))


class Server:
    """One process: over a shared database, or without `database` over a directory of its own. More settings come behind `serve`."""

    def __init__(self, inlet, folder, name="inlet", database=None, settings=()):
        # Settings of a server on this machine are not the benchmark's.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("INLET_")}
        command = [inlet, "serve", "--auth", "none", "--listen", "127.0.0.1:0", "--files-root", folder, "--log-level", "warn", *settings]
        if database:
            environment |= {"INLET_ENCRYPTION_KEY": ENCRYPTION_KEY, "INLET_DATABASE_URL": database}
        else:
            command += ["--data-dir", os.path.join(folder, name)]
        self.name, self.log = name, os.path.join(folder, f"{name}.log")
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
        ready = re.search(r"http://([\d.]+):(\d+)", self.process.stdout.readline())
        if not ready:
            self.end()
            raise processes.Failed(f"{name} did not start: {open(self.log).read()}")
        # Whatever else it prints is not waited for.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        self.pid, self.host, self.port = self.process.pid, ready[1], int(ready[2])
        self.url, self.connection = ready[0], http.client.HTTPConnection(self.host, self.port, timeout=120)
        self.used = time.monotonic()

    def ask(self, method, path, body=None):
        """The status, and the body as it came."""
        # A server closes a connection that is not used for long.
        if time.monotonic() - self.used > 20:
            self.connection.close()
        self.used = time.monotonic()
        self.connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
        if self.connection.sock:
            self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def call(self, method, path, body=None):
        """What was answered, which must be good."""
        status, text = self.ask(method, path, body)
        if status >= 300:
            raise processes.Failed(f"{method} {path}: {status} {text.decode()}")
        return json.loads(text) if text else None

    def finished(self, sync_path, limit=600):
        """The sync once it has ended, which is waited for without asking again and again."""
        for _ in range(limit // 30):
            sync = self.call("GET", f"{sync_path}?wait=30s")
            if sync["finished_at"]:
                return sync
        raise processes.Failed(f"a sync does not end: {sync}")

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def milliseconds(text):
    """A time as the API writes it, in milliseconds since 1970."""
    return round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def cpu_seconds(pid, with_ended_children=False):
    try:
        fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return sum(int(each) for each in fields[11:15 if with_ended_children else 13]) / TICKS


def family_cpu_seconds(pid):
    """Of a process and all that it has started, those included that have ended: for PostgreSQL's first process."""
    return sum(cpu_seconds(each, True) for each in processes.descendants(pid))


def peak_mb(pid):
    return int(re.search(r"VmHWM:\s+(\d+)", open(f"/proc/{pid}/status").read())[1]) * 1024 / 1e6


def machine_ticks():
    """Of all processors together: busy, and all."""
    user, nice, system, idle, wait, *more = (int(each) for each in open("/proc/stat").readline().split()[1:9])
    busy = user + nice + system + sum(more)
    return busy, busy + idle + wait


def quantile(values, share):
    """The value that so great a share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1))]
