"""What servers have acknowledged, kept beside them: all of it must still be there in the end, and nothing else."""
import bisect, json, threading, time

ENDED = ("succeeded", "failed", "cancelled")
# What does not change of a connector that nobody changes, and of a sync that has ended.
CONNECTOR = ("id", "name", "type", "config", "streams", "created_at")
SYNC = ("id", "status", "attempt", "counts", "error", "created_at", "started_at", "finished_at")


def part(whole, names):
    return {name: whole.get(name) for name in names}


class Ledger:
    """Connectors that were made, syncs that were triggered, and how those ended that were seen to have ended."""

    def __init__(self):
        self.connectors, self.triggered, self.ended, self.wrong = {}, {}, {}, []

    def made(self, url, connector):
        self.connectors[url] = part(connector, CONNECTOR)
        self.triggered[url] = []

    def saw(self, sync):
        """Looks at one; whoever saw it before saw the same."""
        if sync["status"] not in ENDED:
            if sync["id"] in self.ended:
                self.wrong.append(f"{sync['id']} had ended, and is {sync['status']}")
            return False
        now = part(sync, SYNC)
        if self.ended.setdefault(sync["id"], now) != now:
            self.wrong.append(f"{sync['id']} had ended as {self.ended[sync['id']]}, and is {now}")
        return True

    def check(self, url, connector, syncs):
        """What is stored of a connector, against what was acknowledged."""
        if part(connector, CONNECTOR) != self.connectors[url]:
            self.wrong.append(f"{url} was made as {self.connectors[url]}, and is {connector}")
        stored, triggered = {sync["id"] for sync in syncs}, set(self.triggered[url])
        if stored != triggered:
            lost, more = triggered - stored, stored - triggered
            self.wrong.append(f"of {url} the syncs {sorted(lost)} are lost, and nobody has triggered {sorted(more)}")
        for sync in syncs:
            self.saw(sync)

    def says(self):
        return (f"{len(self.connectors)} connectors, {sum(map(len, self.triggered.values()))} triggers and the ends of "
                f"{len(self.ended)} syncs are as they were acknowledged")


class Follower(threading.Thread):
    """Follows the change feeds as a client does, and remembers each entry that it was shown."""

    def __init__(self, call, paths):
        super().__init__(daemon=True)
        self.call, self.cursors, self.done, self.wrong = call, dict.fromkeys(paths), threading.Event(), []
        self.seen = {path: ([], []) for path in paths}

    def run(self):
        while not self.done.wait(0.5):
            for path in self.cursors:
                while not self.done.is_set() and self.take(path):
                    pass

    def catch_up(self):
        """Looks at what it has not seen yet, and ends."""
        self.done.set()
        self.join()
        for path in self.cursors:
            while not self.wrong and self.take(path):
                pass

    def take(self, path):
        """Whether there may be more."""
        cursor = self.cursors[path]
        status, page = self.call("GET", f"{path}?limit=1000" + (f"&cursor={cursor}" if cursor else ""))
        if status != 200:
            self.wrong.append(f"{path} at {cursor}: {page}")
            self.done.set()
            return False
        numbers, entries = self.seen[path]
        for entry in page["data"]:
            numbers.append(entry["change"])
            entries.append(digest(entry))
        self.cursors[path] = page["next_cursor"]
        return len(page["data"]) == 1000

    def check(self, path, feed):
        """What it was shown must be how the feed begins: nothing is gone, changed, or has come in between."""
        numbers, entries = self.seen[path]
        for at, entry in enumerate(feed[:len(numbers)]):
            if entry["change"] != numbers[at] or digest(entry) != entries[at]:
                self.wrong.append(f"{path}: the follower saw change {numbers[at]} where the feed has {entry}")
                return
        if len(numbers) > len(feed):
            self.wrong.append(f"{path}: the follower saw {len(numbers) - len(feed)} entries more than there are")

    def says(self):
        return f"{sum(len(numbers) for numbers, _ in self.seen.values())} entries of feeds are as a follower saw them"


def digest(entry):
    return hash(json.dumps(entry, sort_keys=True))


class Pushed:
    """A connector to which records are pushed, one after the other, by way of one server as long as that is not disturbed."""

    def __init__(self, number, collection):
        self.number, self.collection = number, collection
        self.connector, self.rows, self.syncs = None, {}, []
        # When a call that was acknowledged had been made, and when it was acknowledged.
        self.made, self.acknowledged = [], []

    def settings(self):
        return {"type": "external_source", "config": {}}

    def url(self):
        return f"/v1/spaces/default/collections/{self.collection}/connectors/{self.connector}"

    def push(self, call, done):
        """Pushes until it is done; what it is told no answer of, it pushes again under the same key."""
        while not done.wait(0.1):
            key, value = len(self.rows), time.time_ns()
            body = [{"id": key, "value": value}]
            begun, status, answer = call(self.number, f"{self.url()}/records?key_field=id", body, f"p{self.number}-{key}")
            if status != 202:
                raise RuntimeError(f"a push was refused: {answer}")
            self.rows[key] = value
            self.made.append(begun)
            self.acknowledged.append(time.monotonic())

    def held_up(self, since):
        """How long after that the first call was acknowledged that was made after it."""
        at = bisect.bisect_left(self.made, since)
        return self.acknowledged[at] - since if at < len(self.made) else None
