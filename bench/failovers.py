"""Failovers of a pair of PostgreSQL servers, one after the other, and how long each held up those who write."""
import random, signal, statistics, sys, threading, time, traceback

# So long after its turn has come the primary is killed.
AFTER = (0, 5)
# A standby that hangs holds up every commit: for less or more than the lease of a server, which is half a minute.
FROZEN = (10, 45)


class Failovers(threading.Thread):
    """So many while syncs are triggered, spread evenly over them; `progress` says which part of them was."""

    def __init__(self, pair, count, progress, seed):
        super().__init__(daemon=True)
        self.pair, self.count, self.progress = pair, count, progress
        self.dice, self.done = random.Random(f"{seed}-failovers"), threading.Event()
        self.times, self.kinds, self.broken = [], {}, None

    def run(self):
        try:
            for number in range(self.count):
                while self.progress() < (number + 1) / (self.count + 1):
                    if self.done.wait(0.1):
                        return
                # By turns the standby is well, hangs until it is promoted, or hung a moment ago.
                if number % 3:
                    self.freeze(number % 3 == 2)
                self.done.wait(self.dice.uniform(*AFTER))
                self.one()
        except BaseException as error:
            self.broken = error
            traceback.print_exc()

    def freeze(self, thaws):
        self.note("the standby hung before")
        self.pair.standby.signal(signal.SIGSTOP)
        self.done.wait(self.dice.uniform(*FROZEN))
        if thaws:
            self.pair.standby.signal(signal.SIGCONT)
            self.done.wait(self.dice.uniform(0, 5))

    def one(self):
        number = len(self.times)
        vanishes, waits = number % 2 == 1, number % 4 < 2
        self.note("the primary's machine was lost" if vanishes else "its processes were killed")
        self.note("commits waited for the next standby" if waits else "commits waited for nobody meanwhile")
        killed, promoted = self.pair.fail_over(vanishes, waits)
        self.times.append((waits, killed))
        self.pair.rebuild()
        print(f"failover {number + 1}: promoted after {promoted - killed:.1f} s, in step again after {time.monotonic() - killed:.1f} s", file=sys.stderr)

    def last(self):
        """One more, right after the last answer."""
        self.done.set()
        self.join()
        if self.broken is None:
            self.one()

    def note(self, kind):
        self.kinds[kind] = self.kinds.get(kind, 0) + 1

    def says(self, pushed):
        kinds = ", ".join(f"{count} x {kind}" for kind, count in sorted(self.kinds.items()))
        lines = [f"{len(self.times)} failovers: {kinds}"]
        for waits, how in [(False, "nobody"), (True, "the next standby")]:
            held = [[each.held_up(killed) for each in pushed] for waited, killed in self.times if waited == waits]
            held = [[time for time in times if time is not None] for times in held]
            lines.append(f"where commits waited for {how} meanwhile, the first write was acknowledged {spread([min(times) for times in held if times])} "
                         f"after the kill, one of each of {len(pushed)} writers {spread([max(times) for times in held if times])}")
        return "\n".join(lines)


def spread(times):
    return f"{statistics.median(times):.1f} s (worst {max(times):.1f} s)" if times else "at no time"
