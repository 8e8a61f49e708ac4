"""Closes every month of a simulated programme and says what does not add up.

It shares no code with the services and uses only Python's own library. It reads what they exported:
the ledger as a dump, and what the API says about payouts, commissions, statements and liabilities.

Usage: oracle.py FOLDER
Prints what it has checked; ends with 1 and a line for each fault.
"""

import csv
import datetime
import json
import pathlib
import sys
import zoneinfo
from collections import defaultdict

folder = pathlib.Path(sys.argv[1])
about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
faults = []


def fault(text):
    faults.append(text)


def read(name):
    with open(folder / f"{name}.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def instant(text):
    if text.endswith("+00"):
        text += ":00"
    return datetime.datetime.fromisoformat(text)


ledger = read("ledger")
for row in ledger:
    row["amount"] = int(row["amount_minor"])
    row["at"] = instant(row["created_at"])
payouts = {row["id"]: row for row in read("payouts")}
commissions = {row["id"]: row for row in read("commissions")}

# The beginnings of the months, and of the one after them, in the programme's time zone.
zone = zoneinfo.ZoneInfo(about["time_zone"])
year, month = map(int, about["begin"].split("-"))
labels, bounds = [], []
for number in range(about["months"] + 1):
    y, m = divmod(year * 12 + month - 1 + number, 12)
    labels.append(f"{y:04}-{m + 1:02}")
    bounds.append(datetime.datetime(y, m + 1, 1, tzinfo=zone))

# 1. The items of a payout sum to it, and belong to its user and currency.
items = defaultdict(lambda: defaultdict(int))
for row in read("items"):
    items[row["payout_id"]][row["commission_id"]] += int(row["amount_minor"])
paid_of = defaultdict(int)
live_of = defaultdict(int)
for key, payout in payouts.items():
    total = sum(items[key].values())
    wanted = 0 if payout["status"] == "rejected" else int(payout["amount_minor"])
    if total != wanted:
        fault(f"payout {key}: its items sum to {total}, not to {wanted}")
    for commission, amount in items[key].items():
        row = commissions[commission]
        if (row["user_id"], row["currency"]) != (payout["user_id"], payout["currency"]):
            fault(f"payout {key} pays commission {commission} of another user or currency")
        if payout["status"] == "completed":
            paid_of[commission] += amount
        if payout["status"] in ("completed", "requested"):
            live_of[commission] += amount

# 2. What a commission says it was paid is the sum of its items, and never more than its amount.
for key, row in commissions.items():
    amount, paid, live = int(row["amount_minor"]), paid_of[key], live_of[key]
    sign = 1 if amount > 0 else -1
    if int(row["paid_minor"]) != paid:
        fault(f"commission {key}: paid {row['paid_minor']}, but its items sum to {paid}")
    if not 0 <= paid * sign <= live * sign <= amount * sign:
        fault(f"commission {key} of {amount}: {paid} are paid, {live} are paid or in payouts")
    status = "paid" if paid == amount else "partly_paid" if paid else "in_payout" if live else "unpaid"
    if row["payment_status"] != status:
        fault(f"commission {key} is {row['payment_status']}, not {status}")

# 3. The ledger, replayed by another method: a queue of what can be paid for each user and currency.
# A payout takes from its head; what failed goes back to where it came from.
queues = defaultdict(lambda: {"credit": {}, "debit": {}, "order": []})
expected = {}
for row in ledger:
    queue = queues[row["user_id"], row["currency"]]
    key, amount = row["commission_id"], row["amount"]
    if key and row["to_account"] == "available":
        queue["credit"][key] = amount
        queue["order"].append(key)
    elif key and row["from_account"] == "available":
        queue["debit"][key] = amount
    elif row["from_account"] == "available":
        taken = {key: -rest for key, rest in queue["debit"].items() if rest}
        missing = amount - sum(taken.values())
        for key in queue["debit"]:
            queue["debit"][key] = 0
        for key in queue["order"]:
            part = min(missing, queue["credit"][key])
            if part:
                taken[key] = part
                queue["credit"][key] -= part
                missing -= part
            if not missing:
                break
        if missing:
            fault(f"payout {row['payout_id']}: {missing} were not there")
        expected[row["payout_id"]] = taken
    elif row["from_account"] == "in_payout" and row["to_account"] == "available":
        for key, part in expected[row["payout_id"]].items():
            if part > 0:
                queue["credit"][key] += part
            else:
                queue["debit"][key] -= part
if set(expected) != {key for key, row in payouts.items() if row["status"] != "rejected"}:
    fault("the payouts of the ledger are not those of the table")
for key, taken in expected.items():
    if taken != dict(items[key]):
        fault(f"payout {key} pays {dict(items[key])}, not {taken}")

# 4. Statements: opening and lines are closing, months follow each other, and each sum is that of the
# ledger, replayed by the month.
OWED = ("pending", "available", "in_payout")


def entry_of(row):
    """What a row of the ledger does to what the user is owed, and by how much."""
    delta = row["amount"] * ((row["to_account"] in OWED) - (row["from_account"] in OWED))
    if not delta:
        return None, 0
    if row["payout_id"]:
        return "paid", delta
    commission = commissions[row["commission_id"]]
    if (delta > 0) != (int(commission["amount_minor"]) > 0):
        return "rejected", delta
    return {"earning": "earned", "clawback": "clawed_back"}.get(commission["kind"], "adjusted"), delta


sums = defaultdict(int)  # by user, currency, month and entry
owed = defaultdict(int)  # by user, currency and end of month
for row in ledger:
    entry, delta = entry_of(row)
    if entry is None:
        continue
    at = next((n for n in range(about["months"]) if bounds[n] <= row["at"] < bounds[n + 1]), None)
    if at is None:
        fault(f"row {row['id']} of the ledger is of no month")
        continue
    sums[row["user_id"], row["currency"], labels[at], entry] += delta
    for later in range(at, about["months"]):
        owed[row["user_id"], row["currency"], labels[later]] += delta

stated = defaultdict(int)
seen = set()
for row in read("statements"):
    stated[row["user_id"], row["currency"], row["month"], row["entry"]] += int(row["amount_minor"])
    line = (row["user_id"], row["month"], row["entry"], row["commission_id"], row["payout_id"])
    if row["entry"] not in ("opening", "closing"):
        if line in seen:
            fault(f"a line is stated twice: {line}")
        seen.add(line)
        month_of = labels.index(row["month"])
        if not bounds[month_of] <= instant(row["at"].replace("Z", "+00:00")) < bounds[month_of + 1]:
            fault(f"a line of another month: {line}")

ENTRIES = ("earned", "clawed_back", "adjusted", "rejected", "paid")
chains = 0
for user, currency in sorted({key[:2] for key in owed}):
    before = 0
    for label in labels[:-1]:
        opening, closing = stated[user, currency, label, "opening"], stated[user, currency, label, "closing"]
        lines = {entry: stated[user, currency, label, entry] for entry in ENTRIES}
        name = f"statement of {user} in {currency} for {label}"
        if opening != before:
            fault(f"{name}: opens with {opening}, and the month before closed with {before}")
        if opening + sum(lines.values()) != closing:
            fault(f"{name}: {opening} and {lines} are not {closing}")
        for entry, amount in lines.items():
            if amount != sums[user, currency, label, entry]:
                fault(f"{name}: {entry} {amount}, the ledger has {sums[user, currency, label, entry]}")
        if closing != owed[user, currency, label]:
            fault(f"{name}: closes with {closing}, the ledger with {owed[user, currency, label]}")
        before = closing
        chains += 1
if len(stated) and not chains:
    fault("there are no statements")

# 5. What is owed at the end of each month, as it was said then and as it is said later.
totals = defaultdict(int)
for (user, currency, label), amount in owed.items():
    totals[currency, label] += amount
said = 0
for row in read("liabilities"):
    said += 1
    if int(row["owed_minor"]) != totals[row["currency"], row["month"]]:
        fault(
            f"liabilities at the end of {row['month']}, {row['when']}: {row['owed_minor']} {row['currency']},"
            f" the ledger has {totals[row['currency'], row['month']]}"
        )

# 6. The programme had everything that could have gone wrong.
taken_twice = defaultdict(int)
for key in items:
    for commission in items[key]:
        taken_twice[commission] += payouts[key]["status"] in ("failed", "cancelled", "completed")
for name, happened in {
    "a clawback that a payout nets": any(part < 0 for taken in items.values() for part in taken.values()),
    "a clawback of what was paid": any(
        row["kind"] == "clawback" and paid_of[row["reverses_id"]] > 0 for row in commissions.values()
    ),
    "a clawback that is rejected": any(
        row["kind"] == "clawback" and row["status"] == "rejected" for row in commissions.values()
    ),
    "a commission that several payouts held": any(times > 1 for times in taken_twice.values()),
    "a payout that failed": any(row["status"] == "failed" for row in payouts.values()),
    "an adjustment of a replay": any(
        row["kind"] == "adjustment" and row["event_id"] for row in commissions.values()
    ),
    "an adjustment by hand": any(
        row["kind"] == "adjustment" and not row["event_id"] for row in commissions.values()
    ),
}.items():
    if not happened:
        fault(f"the programme is too tame: it never had {name}")

statuses = defaultdict(int)
for row in payouts.values():
    statuses[row["status"]] += 1
states = defaultdict(int)
for row in commissions.values():
    states[row["payment_status"]] += 1
kinds = defaultdict(int)
for row in commissions.values():
    kinds[row["kind"]] += 1
print(
    f"{about['partners']} partners, {about['months']} months, {len(ledger)} rows of the ledger,"
    f" {dict(kinds)}, payments {dict(states)}, payouts {dict(statuses)},"
    f" {sum(map(len, items.values()))} items, {chains} months of accounts, {said} liabilities"
)
for text in faults[:50]:
    print(text)
print(f"{len(faults)} faults")
sys.exit(bool(faults))
