"""Prints how many events the Parquet files of a folder hold, how many different ones, and whether
the events of each key are there without a gap. Usage: parquet.py FOLDER"""

import collections
import json
import sys

import pyarrow.dataset

events = pyarrow.dataset.dataset(sys.argv[1], partitioning="hive").to_table().to_pylist()
sequences = collections.defaultdict(set)
for event in events:
    sequences[event["key"]].add(event["sequence"])
    assert event["occurred_at"].date().isoformat() == str(event["day"]), event["id"]
print(json.dumps({
    "rows": len(events),
    "events": len({event["id"] for event in events}),
    "gaps": sum(len(s) != max(s) for s in sequences.values()),
    "types": sorted({event["type"] for event in events}),
}))
