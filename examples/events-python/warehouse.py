"""Writes commission events to Parquet files for a warehouse, by day and type.

    python warehouse.py --folder warehouse             # until the end of the feed
    python warehouse.py --folder warehouse --wait 20   # and go on

The files of a batch have its number. The batch counts once _state.json has the next number and the
cursor, which a rename does at once. After a crash the program removes the files of a batch that
does not count, and reads its events again.
"""

import argparse
import datetime
import json
import os
import pathlib
import sys
import time

import pyarrow
import pyarrow.parquet

import feed

# Amounts are whole minor units and decimal text, so nothing is rounded.
COLUMNS = pyarrow.schema([
    ("id", pyarrow.string()),
    ("key", pyarrow.string()),  # the user's id, of an event of a rule the rule's
    ("sequence", pyarrow.int64()),
    ("occurred_at", pyarrow.timestamp("us", tz="UTC")),
    ("cause", pyarrow.string()),
    ("cause_id", pyarrow.string()),
    ("actor", pyarrow.string()),
    ("event_id", pyarrow.string()),
    ("commission_id", pyarrow.string()),
    ("payout_id", pyarrow.string()),
    ("rule_id", pyarrow.string()),
    ("status", pyarrow.string()),
    ("previous_status", pyarrow.string()),
    ("currency", pyarrow.string()),
    ("amount_minor", pyarrow.int64()),
    ("data", pyarrow.string()),  # everything, as JSON
])


def row(event: dict) -> dict:
    data = event["data"]
    decision, commission, payout, rule = (data.get(n, {}) for n in ("decision", "commission", "payout", "rule"))
    money = commission or payout  # what is earned or paid
    return {
        "id": event["id"],
        "key": event.get("user_id") or rule["rule_id"],
        "sequence": event["sequence"],
        "occurred_at": datetime.datetime.fromisoformat(event["occurred_at"]),
        "cause": event["caused_by"]["kind"],
        "cause_id": event["caused_by"]["id"],
        "actor": event["caused_by"].get("actor"),
        "event_id": decision.get("event_id") or commission.get("event_id"),
        "commission_id": commission.get("id"),
        "payout_id": payout.get("id"),
        "rule_id": rule.get("rule_id") or commission.get("rule_id"),
        "status": money.get("status"),
        "previous_status": event["previous"].get("status"),
        "currency": money.get("currency"),
        "amount_minor": money.get("amount_minor"),
        "data": json.dumps(data, ensure_ascii=False),
    }


def replace(path: pathlib.Path, write) -> None:
    """Writes a file so that it is there whole or not at all, also after a power failure."""
    temporary = path.with_name("." + path.name)
    with open(temporary, "wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


class Warehouse:
    """A folder of files day=…/type=…/part-N.parquet, which most engines read as one table."""

    def __init__(self, folder: str):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.state = self.folder / "_state.json"
        self.batch, self.cursor = 1, ""
        if self.state.exists():
            saved = json.loads(self.state.read_text())
            self.batch, self.cursor = saved["batch"], saved["cursor"]
        for file in self.folder.glob("day=*/type=*/*part-*.parquet"):
            if file.name.startswith(".") or int(file.stem.removeprefix("part-")) >= self.batch:
                file.unlink()

    def write(self, events: list[dict], cursor: str) -> None:
        parts = {}
        for event in events:
            parts.setdefault((event["occurred_at"][:10], event["type"]), []).append(row(event))
        for (day, kind), rows in sorted(parts.items()):
            file = self.folder / f"day={day}" / f"type={kind}" / f"part-{self.batch:010d}.parquet"
            file.parent.mkdir(parents=True, exist_ok=True)
            table = pyarrow.Table.from_pylist(rows, schema=COLUMNS)
            replace(file, lambda out: pyarrow.parquet.write_table(table, out, compression="zstd"))
            print(f"{len(rows)} events in {file}", flush=True)
        saved = json.dumps({"batch": self.batch + 1, "cursor": cursor})
        replace(self.state, lambda out: out.write(saved.encode()))
        self.batch, self.cursor = self.batch + 1, cursor


def run(warehouse: Warehouse, most: int, seconds: int, wait: int) -> None:
    """Gathers events in memory, and writes them when there are enough or enough time has passed."""
    events, begin = [], time.monotonic()
    cursor = warehouse.cursor
    for page, cursor in feed.pages(cursor, min(most, 1000), wait):
        events += page
        if events and (len(events) >= most or time.monotonic() - begin >= seconds):
            warehouse.write(events, cursor)
            events, begin = [], time.monotonic()
    if events:
        warehouse.write(events, cursor)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--folder", default="warehouse", help="where the files are written")
    options.add_argument("--events", type=int, default=50_000, help="write a batch of so many events, or up to 999 more")
    options.add_argument("--seconds", type=int, default=300, help="write a smaller batch after so many seconds")
    options.add_argument("--wait", type=int, default=0, help="go on at the end, and wait so many seconds, at most 30")
    chosen = options.parse_args()
    try:
        run(Warehouse(chosen.folder), chosen.events, chosen.seconds, chosen.wait)
    except feed.Expired:
        sys.exit("events after the cursor are no longer kept: they are missing in the files")
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
