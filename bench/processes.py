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


def run(command, environment=None, limit=1800):
    """Runs to the end, which must be a good one. Its standard error is shown if it is not."""
    begun = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             env={**os.environ, **(environment or {})}, start_new_session=True)
    said, peak, ended = {}, [0], threading.Event()
    readers = [threading.Thread(target=lambda name=name: said.update({name: getattr(child, name).read()}))
               for name in ("stdout", "stderr")]

    def watch():
        while not ended.wait(0.01):
            peak[0] = max(peak[0], sum(resident(pid) for pid in descendants(child.pid)))
            if time.monotonic() > begun + limit:
                os.killpg(child.pid, 9)

    watcher = threading.Thread(target=watch)
    for thread in [*readers, watcher]:
        thread.start()
    # The kernel's own count: of the command and of every child that it waited for.
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.monotonic() - begun
    child.returncode = os.waitstatus_to_exitcode(status)
    ended.set()
    for thread in [*readers, watcher]:
        thread.join()
    if child.returncode != 0:
        raise Failed(f"{' '.join(command)}\nended with {child.returncode}\n{said['stdout'].decode()}{said['stderr'].decode()}")
    # A single process may have had its peak between two looks, but the kernel saw it. What this very process held when it
    # made the child counts as the child's there, so less than that says nothing.
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak_bytes = max(peak[0], usage.ru_maxrss * 1024 if usage.ru_maxrss > own else 0)
    return Measured(seconds, usage.ru_utime + usage.ru_stime, peak_bytes / 1e6, said["stdout"].decode())


class Failed(Exception):
    """A command that did not end well."""
