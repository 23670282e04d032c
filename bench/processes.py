"""Runs a command and measures it with everything that it starts."""
import os, resource, subprocess, threading, time

PAGE = os.sysconf("SC_PAGE_SIZE")


class Measured:
    """One run as a whole process: wall and CPU seconds, and the peak of the memory that its processes held together."""

    def __init__(self, seconds, cpu, peak_mb, printed):
        self.seconds, self.cpu, self.peak_mb, self.printed = seconds, cpu, peak_mb, printed


def descendants(pid):
    """The process and all that it started, as far as they live."""
    found, waiting = [], [pid]
    while waiting:
        each = waiting.pop()
        found.append(each)
        try:
            for task in os.listdir(f"/proc/{each}/task"):
                waiting += open(f"/proc/{each}/task/{task}/children").read().split()
        except OSError:
            pass
    return found


def resident(pid):
    try:
        return int(open(f"/proc/{pid}/statm").read().split()[1]) * PAGE
    except OSError:
        return 0


class Watch:
    """Looks again and again how much memory a process and all that it started hold together; ends their group when it lasts too long."""

    def __init__(self, pid, limit=None):
        self.pid, self.limit, self.peak, self.ended = pid, limit, 0, threading.Event()
        self.thread = threading.Thread(target=self.look)
        self.thread.start()

    def look(self):
        begun = time.monotonic()
        while not self.ended.wait(0.01):
            self.peak = max(self.peak, sum(resident(pid) for pid in descendants(self.pid)))
            if self.limit and time.monotonic() > begun + self.limit:
                os.killpg(self.pid, 9)

    def end(self):
        """The most that it saw, in bytes."""
        self.ended.set()
        self.thread.join()
        return self.peak


def run(command, environment=None, limit=1800):
    """Runs to the end, which must be a good one. Its standard error is shown if it is not."""
    begun = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             env={**os.environ, **(environment or {})}, start_new_session=True)
    said, watch = {}, Watch(child.pid, limit)
    readers = [threading.Thread(target=lambda name=name: said.update({name: getattr(child, name).read()}))
               for name in ("stdout", "stderr")]

    for thread in readers:
        thread.start()
    # The kernel's own count: of the command and of every child that it waited for.
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.monotonic() - begun
    child.returncode = os.waitstatus_to_exitcode(status)
    peak = watch.end()
    for thread in readers:
        thread.join()
    if child.returncode != 0:
        raise Failed(f"{' '.join(command)}\nended with {child.returncode}\n{said['stdout'].decode()}{said['stderr'].decode()}")
    # A single process may have had its peak between two looks, but the kernel saw it. What this very process held when it
    # made the child counts as the child's there, so less than that says nothing.
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak_bytes = max(peak, usage.ru_maxrss * 1024 if usage.ru_maxrss > own else 0)
    return Measured(seconds, usage.ru_utime + usage.ru_stime, peak_bytes / 1e6, said["stdout"].decode())


class Failed(Exception):
    """A command that did not end well."""
