"""A primary and a synchronous standby, by plain streaming replication, and the failover from one to the other.

It stands in for what watches over such a pair, Patroni for instance: it says who is promoted, and it makes sure that a primary that
was given up takes no more writes. Here that is certain: all its processes are killed before the other is promoted, and it is started again only
as a standby. What it cannot show is how long such a watcher takes to notice.
"""
import os, signal, subprocess, time

from private_postgres import Server

# Both write everything down for good; pages carry checksums, by which pg_rewind may be used.
SETTINGS = ["listen_addresses=*", "max_connections=200", "fsync=on", "synchronous_commit=on", "max_wal_size=512MB", "wal_keep_size=512MB",
            "wal_retrieve_retry_interval=500ms", "shared_buffers=256MB",
            # pg_rewind reads every file of the data, which a socket is not.
            "unix_socket_directories="]


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, stdout=subprocess.DEVNULL)


class Member(Server):
    """One of the two, at an address of its own, so that its machine can be lost: then nothing answers there, not even with a refusal."""

    def __init__(self, folder, number, access, primary=None):
        self.address, self.primary = f"10.78.0.{number + 1}", primary
        self.appear()
        super().__init__(folder, SETTINGS, access, f"postgres{number}")

    def fill(self):
        if self.primary is None:
            super().fill("--data-checksums")
            # Also for the server by which pg_rewind recovers what was killed: it must leave the log that is looked through after that.
            with open(os.path.join(self.data, "postgresql.conf"), "a") as conf:
                conf.writelines("{} = '{}'\n".format(*setting.split("=", 1)) for setting in self.settings)
            return
        self.run("pg_basebackup", *self.of(self.primary), "-D", self.data, "-R", "-X", "stream", "-c", "fast", "--no-sync")

    @staticmethod
    def of(other):
        return ["-h", "127.0.0.1", "-p", str(other.port), "-U", "postgres"]

    def processes(self):
        """Its own first, then those that it has started."""
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True).stdout
        return [self.process.pid, *map(int, children.split())]

    def signal(self, number):
        for pid in self.processes():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait()

    def vanish(self):
        ip("addr", "del", f"{self.address}/32", "dev", "lo")
        ip("route", "add", "blackhole", f"{self.address}/32")

    def appear(self):
        subprocess.run(["ip", "route", "del", "blackhole", f"{self.address}/32"], stderr=subprocess.DEVNULL)
        subprocess.run(["ip", "addr", "add", f"{self.address}/32", "dev", "lo"], stderr=subprocess.DEVNULL)

    def wait_for(self, names):
        """Whom its commits wait for: '*' is any standby, '' is nobody."""
        self.ask("postgres", f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        self.ask("postgres", "SELECT pg_reload_conf()")

    def follow(self, primary):
        """Becomes a standby of what was its standby, whatever it had written that the other never got."""
        # pg_rewind tells by the last checkpoint which timeline the other is on.
        primary.ask("postgres", "CHECKPOINT")
        source = f"host=127.0.0.1 port={primary.port} user=postgres dbname=postgres"
        # The last is what makes it a standby when it starts.
        self.run("pg_rewind", "-D", self.data, "--source-server", source, "--no-sync", "--write-recovery-conf")
        self.start()

    def end(self):
        if self.process.poll() is None:
            self.signal(signal.SIGCONT)
            super().end()
        subprocess.run(["ip", "route", "del", "blackhole", f"{self.address}/32"], stderr=subprocess.DEVNULL)
        subprocess.run(["ip", "addr", "del", f"{self.address}/32", "dev", "lo"], stderr=subprocess.DEVNULL)


class Pair:
    def __init__(self, folder, access):
        self.members = []
        try:
            self.members.append(Member(folder, 0, access))
            self.members.append(Member(folder, 1, access, self.members[0]))
            self.primary, self.standby = self.members
            self.in_step()
        except BaseException:
            self.end()
            raise

    def hosts(self, _):
        """Both, in an order that says nothing of who is the primary."""
        return [f"{member.address}:{member.port}" for member in self.members]

    def in_step(self):
        """From now on no commit is acknowledged that the standby does not have."""
        self.primary.wait_for("*")
        deadline = time.monotonic() + 120
        while self.primary.ask("postgres", "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'") != "1":
            if time.monotonic() > deadline:
                raise RuntimeError("the standby does not come:\n" + "".join(self.standby.log[-20:]))
            time.sleep(0.1)
        # This waits for the standby, and so for all that came before it.
        self.primary.ask("postgres", "SELECT pg_logical_emit_message(true, 'inlet', 'in step')")

    def fail_over(self, vanishes, waits):
        """Kills the primary in the middle of whatever it does, and promotes the standby. When it was killed, and when the other was promoted.

        The new primary has no standby. Either its commits wait until there is one again (`synchronous_mode_strict` of Patroni), or they wait
        for nobody until then (`synchronous_mode`), and it must not fail meanwhile.
        """
        old, new = self.primary, self.standby
        killed = time.monotonic()
        if vanishes:
            old.vanish()
        old.kill()
        # It may hang.
        new.signal(signal.SIGCONT)
        new.wait_for("*" if waits else "")
        new.ask("postgres", "SELECT pg_promote(true, 60)")
        self.primary, self.standby = new, old
        return killed, time.monotonic()

    def rebuild(self):
        """The old primary comes back as the standby."""
        self.standby.follow(self.primary)
        self.standby.appear()
        self.in_step()

    def end(self):
        for member in self.members:
            member.end()
