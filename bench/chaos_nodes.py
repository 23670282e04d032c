"""A server in a network namespace of its own."""
import http.client, json, os, secrets, signal, socket, subprocess, threading

KEY, ENCRYPTION_KEY = secrets.token_hex(16), secrets.token_hex(32)


class Down(Exception):
    """It did not answer, or asks to come again."""


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Node:
    def __init__(self, number, program, server, folder):
        """`program()` is what it runs from its next start on."""
        self.number, self.program, self.folder = number, program, folder
        self.space, self.link = f"inlet{os.getpid()}n{number}", f"in{os.getpid() % 100000}n{number}"
        self.host, self.own = f"10.77.{number}.1", f"10.77.{number}.2"
        hosts = server.hosts(self.host)
        attributes = "?target_session_attrs=read-write" if len(hosts) > 1 else ""
        self.database = f"postgres://postgres@{','.join(hosts)}/postgres{attributes}"
        self.process, self.free = None, threading.Lock()
        ip("netns", "add", self.space)
        ip("link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", self.space)
        ip("addr", "add", f"{self.host}/24", "dev", self.link)
        ip("link", "set", self.link, "up")
        # While it is cut off, nobody else is asked in its place.
        ip("route", "add", "unreachable", f"10.77.{number}.0/24", "metric", "1000")
        for command in (["addr", "add", f"{self.own}/24", "dev", "eth0"], ["link", "set", "eth0", "up"], ["link", "set", "lo", "up"],
                        ["route", "add", "default", "via", self.host]):
            ip("-n", self.space, *command)

    def start(self):
        log = open(os.path.join(self.folder, f"node{self.number}.log"), "ab")
        environment = {**os.environ, "INLET_API_KEY": KEY, "INLET_ENCRYPTION_KEY": ENCRYPTION_KEY, "INLET_DATABASE_URL": self.database}
        command = ["ip", "netns", "exec", self.space, self.program(), "serve", "--listen", f"{self.own}:8080", "--files-root", self.folder,
                   "--rate-limit", "0", "--undo-for", "1s", "--history", "1h"]
        self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def has_ended(self):
        return self.process.poll() is not None

    def kill(self):
        if self.has_ended():
            raise RuntimeError(f"server {self.number} has ended by itself: {self.process.returncode}")
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def cut(self):
        ip("link", "set", self.link, "down")

    def heal(self):
        ip("link", "set", self.link, "up")

    def call(self, method, path, body=None, key=None):
        """The status and what was answered."""
        connection = http.client.HTTPConnection(self.own, 8080, timeout=5)
        headers = {"X-API-Key": KEY, **({"Content-Type": "application/json"} if body is not None else {}),
                   **({"Idempotency-Key": key} if key else {})}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException, socket.timeout) as error:
            raise Down(str(error))
        finally:
            connection.close()
        # An earlier try of the same call may be under way.
        busy = answer.status == 409 and b"idempotency" in text
        if answer.status >= 500 or busy:
            raise Down(text.decode())
        return answer.status, json.loads(text)

    def end(self):
        if self.process and self.process.poll() is None:
            self.go_on()
            self.process.kill()
            self.process.wait()
        for command in (["route", "del", "unreachable", f"10.77.{self.number}.0/24", "metric", "1000"], ["netns", "del", self.space]):
            subprocess.run(["ip", *command], stderr=subprocess.DEVNULL)
