"""Folds commission events into SQLite: the newest state of every commission, payout and rule.

    python fold.py --database events.db                       # until the end of the feed
    python fold.py --database events.db --wait 20             # and go on
    python fold.py --database events.db --topic fold          # the topic, by a subscription of its own
    python fold.py --database events.db --compare             # is it what the API's lists say?
"""

import argparse
import json
import sqlite3
import sys

import feed

SCHEMA = """
CREATE TABLE IF NOT EXISTS rows (
    kind TEXT, id TEXT, version INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS sequences (key TEXT PRIMARY KEY, last INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

LISTS = {"commission": "commissions", "payout": "payouts", "rule": "rules"}


class Gap(Exception):
    """An event is missing."""


def open_database(path: str) -> sqlite3.Connection:
    database = sqlite3.connect(path)
    database.execute("PRAGMA synchronous = FULL")
    database.executescript(SCHEMA)
    return database


def state(database: sqlite3.Connection, name: str) -> str:
    found = database.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
    return found[0] if found else ""


def identity(kind: str, body: dict) -> tuple[str, int]:
    """Returns the id and the version of what an event or a list holds."""
    if kind == "rule":  # its versions are things of their own
        return f"{body['rule_id']} {body['version']}", body["version"]
    if kind == "decision":
        return body["event_id"], 0
    return body["id"], body["version"]


def put(database: sqlite3.Connection, kind: str, body: dict) -> None:
    """Stores the state of a thing, unless a newer one is there."""
    database.execute(
        "INSERT INTO rows VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE "
        "SET version = excluded.version, body = excluded.body WHERE excluded.version >= version",
        (kind, *identity(kind, body), json.dumps(body)))


def fold(database: sqlite3.Connection, event: dict) -> bool:
    """Applies an event. Returns False if it was applied before.

    Raises Gap if the event before it is missing.
    """
    key = event.get("user_id") or "rule " + event["data"]["rule"]["rule_id"]
    found = database.execute("SELECT last FROM sequences WHERE key = ?", (key,)).fetchone()
    # After a load of the lists, the events of a key begin anywhere.
    last = found[0] if found else event["sequence"] - 1 if state(database, "loaded") else 0
    if event["sequence"] <= last:
        return False
    if event["sequence"] != last + 1:
        raise Gap(f"{key}: event {event['sequence']} follows {last}")
    for kind, body in event["data"].items():
        put(database, kind, body)
    database.execute(
        "INSERT INTO sequences VALUES (?, ?) ON CONFLICT DO UPDATE SET last = excluded.last",
        (key, event["sequence"]))
    return True


def follow_feed(database: sqlite3.Connection, limit: int, wait: int) -> None:
    for events, cursor in feed.pages(state(database, "cursor"), limit, wait):
        with database:  # one transaction, so the cursor and the rows never disagree
            fresh = sum([fold(database, event) for event in events])
            database.execute("INSERT OR REPLACE INTO state VALUES ('cursor', ?)", (cursor,))
        print(f"{fresh} of {len(events)} events applied", flush=True)


def load_lists(database: sqlite3.Connection) -> None:
    """Stores the rows of the lists, for a start after the first events have been dropped."""
    with database:
        database.execute("DELETE FROM sequences")
        database.execute("INSERT OR REPLACE INTO state VALUES ('cursor', ''), ('loaded', '1')")
        for kind, name in LISTS.items():
            for row in feed.rows(name):
                put(database, kind, row)


def compare(database: sqlite3.Connection) -> int:
    """Compares the rows with those of the lists, and returns how many differ.

    The lists have members that are computed when they are read, such as payment_status; events do
    not. An operator's reason is in no event.
    """
    different = 0
    for kind, name in LISTS.items():
        folded = {id: json.loads(body) for id, body in database.execute(
            "SELECT id, body FROM rows WHERE kind = ?", (kind,))}
        count = len(folded)
        for row in feed.rows(name):
            mine = folded.pop(identity(kind, row)[0], None)
            if mine is None:
                wrong = "is missing"
            elif names := [n for n in mine if mine[n] != row.get(n) and not (n == "reason" and mine[n] is None)]:
                wrong = "differs in " + ", ".join(names)
            else:
                continue
            different += 1
            print(f"{kind} {identity(kind, row)[0]} {wrong}")
        for id in folded:
            different += 1
            print(f"{kind} {id} is in no list")
        print(f"{count} {name} compared")
    return different


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--database", default="events.db", help="where the rows are kept")
    options.add_argument("--page", type=int, default=1000, help="events of a transaction, at most 1000")
    options.add_argument("--wait", type=int, default=0, help="go on at the end, and wait so many seconds, at most 30")
    options.add_argument("--topic", metavar="SUBSCRIPTION", help="read the topic, not the feed; one of each database")
    options.add_argument("--load", action="store_true", help="begin with the rows of the lists")
    options.add_argument("--compare", action="store_true", help="compare the rows with those of the lists")
    chosen = options.parse_args()
    database = open_database(chosen.database)
    try:
        if chosen.load:
            load_lists(database)
        if chosen.compare:
            sys.exit(1 if compare(database) else 0)
        if chosen.topic:
            import topic  # needs pulsar-client

            topic.follow(database, chosen.topic, chosen.page, chosen.wait)
        else:
            follow_feed(database, chosen.page, chosen.wait)
    except feed.Expired:
        sys.exit("events after the cursor are no longer kept: start again with --load")
    except KeyboardInterrupt:
        pass
    finally:
        database.close()


if __name__ == "__main__":
    main()
