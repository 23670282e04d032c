"""PgBouncer in transaction mode, in front of a server of the benchmark's own."""
import os, shutil, socket, subprocess, sys, time


class Pooler:
    def __init__(self, server):
        program = shutil.which("pgbouncer", path=os.environ.get("PATH", "") + ":/usr/sbin")
        if not program:
            sys.exit("PgBouncer is missing (apt-get install pgbouncer)")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        settings = os.path.join(server.data, "pgbouncer.ini")
        with open(settings, "w") as out:
            out.write(f"[databases]\n* = host=127.0.0.1 port={server.port} user=postgres\n[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port={self.port}\n"
                      "unix_socket_dir=\nauth_type=any\npool_mode=transaction\nmax_client_conn=200\ndefault_pool_size=20\n")
        self.process = subprocess.Popen([program, settings], cwd=server.data, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **server.account)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        sys.exit("PgBouncer does not start")

    def url(self, database):
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def end(self):
        self.process.terminate()
        self.process.wait()
