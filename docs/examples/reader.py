"""Reads priced ticks: last values first, then live envelopes without hole or double. Needs redis-py.

    python reader.py redis://127.0.0.1:4572 ticker:nifty options 10

prints one JSON line an event for ten seconds: "ticks" (source last, live or log), "gap", "resynced".
"""

import json
import sys
import time

import redis

SILENT_AFTER_S = 2.5
HEAL_TIMEOUT_S = 5
KINDS = {"options": "option", "futures": "future", "equities": "equity", "underlying": "underlying"}


def position(envelope):
    return envelope["lease"], envelope["seq"]


class Reader:
    def __init__(self, url, prefix, channel):
        self.redis = redis.Redis.from_url(url, socket_timeout=5)
        self.prefix, self.channel = prefix, channel
        self.given = {}  # account_id -> (lease, seq) up to which everything was given
        self.newest = {}  # instrument_token -> (account_id, lease, seq) of its newest tick
        self.starting = set()  # accounts of which only last values were given
        self.healing = {}  # account_id -> (position the hash has to reach, deadline, whether a gap was told)
        self.heard = time.monotonic()

    def events(self, seconds):
        ends = time.monotonic() + seconds
        pubsub = None
        while time.monotonic() < ends:
            try:
                if pubsub is None:
                    pubsub = self.subscribe()
                    if not self.newest:
                        yield from self.start()
                yield from self.step(pubsub)
            except (redis.ConnectionError, redis.TimeoutError) as error:
                # What is missed meanwhile shows as a gap.
                print(f"disconnected: {error}", file=sys.stderr)
                pubsub = None
                time.sleep(0.2)

    def subscribe(self):
        pubsub = self.redis.pubsub(ignore_subscribe_messages=True)
        pubsub.subscribe(f"{self.prefix}:{self.channel}")
        return pubsub

    def step(self, pubsub):
        message = pubsub.get_message(timeout=0.1)
        if message is not None:
            self.heard = time.monotonic()
            yield from self.accept(json.loads(message["data"]))
        elif time.monotonic() - self.heard > SILENT_AFTER_S:
            self.heard = time.monotonic()
            print("silent: no streamer publishes", file=sys.stderr)
        if self.healing:
            yield from self.heal()

    def start(self):
        """Subscribed before: what comes after these values waits in the connection."""
        for account_id, at in self.complete().items():
            self.given[account_id] = at
            self.starting.add(account_id)
        yield self.last_values()

    def complete(self):
        """Up to which envelope of each account the hash holds everything."""
        fields = self.redis.hgetall(f"{self.prefix}:last:seq")
        named = {name.decode().partition(":"): text for name, text in fields.items()}
        return {
            account_id: tuple(map(int, text.split(b"-")))
            for (channel, _, account_id), text in named.items()
            if channel == self.channel
        }

    def last_values(self):
        ticks = []
        for text in self.redis.hgetall(f"{self.prefix}:last").values():
            value = json.loads(text)
            if value["tick"]["type"] == KINDS[self.channel] and self.is_news(value["tick"], value):
                ticks.append(value["tick"])
        return {"event": "ticks", "source": "last", "account_id": "", "lease": 0, "seq": 0, "ticks": ticks}

    def is_news(self, tick, envelope):
        """Leases of different accounts cannot be compared: an instrument that moved is always news."""
        token, account_id = tick["instrument_token"], envelope["account_id"]
        known = self.newest.get(token)
        if known is not None and known[0] == account_id and position(envelope) <= known[1:]:
            return False
        self.newest[token] = (account_id, *position(envelope))
        return True

    def accept(self, envelope):
        account_id, at = envelope["account_id"], position(envelope)
        before = self.given.get(account_id)
        if before is not None and at <= before:
            return  # seen, or of a publisher that has lost its lease
        if before is None:
            self.heal_up_to(account_id, at, False)
        elif at != (before[0], before[1] + 1) and not (at[0] > before[0] and at[1] == 1):
            yield from self.fill(account_id, before, at)
        yield self.ticks(envelope, "live")

    def fill(self, account_id, before, at):
        """What was missed comes from the log; what that lacks is told, and made up for by last values."""
        is_told = account_id not in self.starting
        key = f"{self.prefix}:log:{self.channel}:{account_id}"
        entries = self.redis.xrange(key, f"{before[0]}-{before[1] + 1}", f"({at[0]}-{at[1]}")
        reached, lost = before, []
        for _, fields in entries:
            envelope = json.loads(fields[b"e"])
            lost += self.between(reached, position(envelope))
            reached = position(envelope)
            yield self.ticks(envelope, "log")
        lost += self.between(reached, at)
        for lease, first, last in lost if is_told else []:
            yield {"event": "gap", "account_id": account_id, "lease": lease, "from": first, "to": last, "repaired": False}
        if lost:
            self.heal_up_to(account_id, at, is_told)

    @staticmethod
    def between(after, before):
        first = after[1] + 1 if after[0] == before[0] else 1
        return [(before[0], first, before[1] - 1)] if first < before[1] else []

    def heal_up_to(self, account_id, before, is_told):
        self.healing[account_id] = ((before[0], before[1] - 1), time.monotonic() + HEAL_TIMEOUT_S, is_told)

    def heal(self):
        complete = self.complete()
        for account_id, (at, deadline, is_told) in list(self.healing.items()):
            is_complete = complete.get(account_id, (0, 0)) >= at
            if not is_complete and time.monotonic() < deadline:
                continue
            del self.healing[account_id]
            values = self.last_values()
            if values["ticks"]:
                yield values
            if is_told:
                lease, seq = at
                yield {"event": "resynced", "account_id": account_id, "lease": lease, "seq": seq, "complete": is_complete}

    def ticks(self, envelope, source):
        self.given[envelope["account_id"]] = position(envelope)
        self.starting.discard(envelope["account_id"])
        ticks = [tick for tick in envelope["ticks"] if self.is_news(tick, envelope)]
        return {**envelope, "event": "ticks", "source": source, "ticks": ticks}


if __name__ == "__main__":
    url, prefix, channel, seconds = sys.argv[1:5]
    for each in Reader(url, prefix, channel).events(float(seconds)):
        if each["event"] == "ticks":
            names = ("event", "source", "account_id", "lease", "seq")
            each = {**{name: each[name] for name in names}, "ticks": len(each["ticks"])}
        print(json.dumps(each), flush=True)
