"""What PostgreSQL's log says of claims: how long the statements took by which a server gave itself a sync.

A server whose address has `OPTIONS` in it has each of its statements logged with its time. A claim is a transaction in which a queued sync was looked
for, and one was written.
"""
import re

SETTINGS = ["log_line_prefix=%n %p ", "log_parameter_max_length=0"]
OPTIONS = "?options=-clog_min_duration_statement%3D0"
LINE = re.compile(r"([\d.]+) (\d+) LOG:  duration: ([\d.]+) ms  (parse|bind|execute|statement)[^:]*: (.*)", re.DOTALL)
LOOKS, WRITES = re.compile(r"s\.status = 'queued' .*SKIP LOCKED", re.DOTALL), re.compile(r"UPDATE syncs SET status = ")


class Transaction:
    def __init__(self, begun):
        self.begun, self.ended, self.took, self.statements = begun, begun, 0.0, 0
        self.looks = self.writes = False


def entries(lines):
    """Each with the lines that its statement goes on for."""
    entry = ""
    for line in lines:
        if re.match(r"\d", line):
            if entry:
                yield entry
            entry = line
        else:
            entry += line
    if entry:
        yield entry


def claims(lines):
    """Of each claim that was committed: milliseconds of its statements together, milliseconds from its beginning to its end, statements."""
    under_way, found = {}, []
    for entry in entries(lines):
        match = LINE.match(entry)
        if not match:
            continue
        at, process, took, step, text = float(match[1]) * 1000, match[2], float(match[3]), match[4], match[5].strip()
        word = text.split(None, 1)[0].rstrip(";").upper() if text else ""
        if word in ("BEGIN", "START") and process not in under_way:
            under_way[process] = Transaction(at - took)
        each = under_way.get(process)
        if not each:
            continue
        each.took, each.ended = each.took + took, at
        each.statements += step in ("execute", "statement")
        each.looks, each.writes = each.looks or bool(LOOKS.search(text)), each.writes or bool(WRITES.search(text))
        if word in ("COMMIT", "END", "ROLLBACK", "ABORT") and step in ("execute", "statement"):
            del under_way[process]
            if each.looks and each.writes and word in ("COMMIT", "END"):
                found.append((each.took, each.ended - each.begun, each.statements))
    return found
