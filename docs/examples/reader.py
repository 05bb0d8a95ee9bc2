"""Reads priced ticks: last values first, then live envelopes without hole or double. Needs redis-py.

    python reader.py redis://127.0.0.1:4572 ticker:nifty options 10

prints one JSON line an envelope for ten seconds: source, account_id, lease, seq, missed, number of ticks.
"""

import json
import sys
import time

import redis


def position(envelope):
    return envelope["lease"], envelope["seq"]


class Reader:
    def __init__(self, url, prefix, channel):
        self.redis = redis.Redis.from_url(url)
        self.prefix, self.channel = prefix, channel
        self.seen = {}  # account_id -> (lease, seq) of its newest envelope
        self.given = {}  # instrument_token -> (lease, seq) up to which last values gave its ticks

    def envelopes(self, seconds):
        ends = time.monotonic() + seconds
        pubsub = self.redis.pubsub(ignore_subscribe_messages=True)
        pubsub.subscribe(f"{self.prefix}:{self.channel}")
        waiting = self.wait_for_last_values(pubsub)
        yield self.last_values(0)
        for envelope in waiting:
            yield from self.accept(envelope)
        while time.monotonic() < ends:
            message = pubsub.get_message(timeout=0.1)
            if message is not None:
                yield from self.accept(json.loads(message["data"]))

    def wait_for_last_values(self, pubsub):
        """An idle channel speaks once a second; then the hash has to reach what was heard first."""
        started, heard = time.monotonic(), []
        while time.monotonic() - started < 5:
            message = pubsub.get_message(timeout=0.1)
            if message is not None:
                heard.append(json.loads(message["data"]))
            if time.monotonic() - started > 1.3 and self.hash_reaches(heard):
                break
        return heard

    def hash_reaches(self, heard):
        first = {}
        for envelope in heard:
            first.setdefault(envelope["account_id"], position(envelope))
        for account_id, (lease, seq) in first.items():
            text = self.redis.hget(f"{self.prefix}:last:seq", f"{self.channel}:{account_id}") or b"0-0"
            if seq > 1 and tuple(map(int, text.split(b"-"))) < (lease, seq - 1):
                return False
        return True

    def last_values(self, missed):
        kind = {"options": "option", "futures": "future", "equities": "equity"}.get(self.channel, self.channel)
        ticks = []
        for text in self.redis.hgetall(f"{self.prefix}:last").values():
            value = json.loads(text)
            token = value["tick"]["instrument_token"]
            if value["tick"]["type"] == kind and position(value) > self.given.get(token, (0, 0)):
                self.given[token] = position(value)
                ticks.append(value["tick"])
        return {"source": "last", "account_id": "", "lease": 0, "seq": 0, "missed": missed, "ticks": ticks}

    def accept(self, envelope):
        account_id, at = envelope["account_id"], position(envelope)
        before = self.seen.get(account_id)
        if before is not None and at <= before:
            return  # seen, or of a publisher without its lease
        self.seen[account_id] = at
        if before is not None and at != (before[0], before[1] + 1) and not (at[0] > before[0] and at[1] == 1):
            yield from self.fill(envelope, before)
        yield self.without_given(envelope, "live")

    def fill(self, envelope, before):
        """What was missed comes from the log; what that lacks shows in the last values."""
        key = f"{self.prefix}:log:{self.channel}:{envelope['account_id']}"
        lease, seq = position(envelope)
        entries = self.redis.xrange(key, f"{before[0]}-{before[1] + 1}", f"{lease}-{seq - 1}")
        for _, fields in entries:
            yield self.without_given(json.loads(fields[b"e"]), "log")
        missing = (seq - before[1] - 1 if lease == before[0] else seq - 1) - len(entries)
        if missing > 0:
            yield self.last_values(missing)

    def without_given(self, envelope, source):
        at = position(envelope)
        ticks = [t for t in envelope["ticks"] if at > self.given.get(t["instrument_token"], (0, 0))]
        return {**envelope, "source": source, "missed": 0, "ticks": ticks}


if __name__ == "__main__":
    url, prefix, channel, seconds = sys.argv[1:5]
    for each in Reader(url, prefix, channel).envelopes(float(seconds)):
        line = {name: each[name] for name in ("source", "account_id", "lease", "seq", "missed")}
        print(json.dumps({**line, "ticks": len(each["ticks"])}), flush=True)
