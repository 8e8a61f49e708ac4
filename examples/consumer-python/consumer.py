"""Example of a consuming service: it acts on accepted campaigns. The "effect" is a row in SQLite.

    python consumer.py --idle 5 --database accepted.db
"""

import argparse
import json
import os
import sqlite3
import sys

import pulsar

TOPIC = "bff-campaign-accept-v1"
SUBSCRIPTION = "campaign-service"


def parse(payload: bytes) -> dict:
    """Returns the command of a message. Raises ValueError for any other message."""
    command = json.loads(payload)
    if not isinstance(command, dict) or command.get("schema_version") != "v1" or command.get("command_type") != "campaign.accept":
        raise ValueError("not a campaign.accept of version v1")
    if not all(isinstance(value, str) and value for value in (
            command.get("command_id"), command.get("user_id"), command.get("payload", {}).get("campaign_id"))):
        raise ValueError("an id is missing")
    return command


def open_database(path: str) -> sqlite3.Connection:
    database = sqlite3.connect(path)
    database.execute("PRAGMA synchronous = FULL")
    database.execute(
        "CREATE TABLE IF NOT EXISTS acceptances ("
        "command_id TEXT PRIMARY KEY, user_id TEXT NOT NULL, campaign_id TEXT NOT NULL, issued_at TEXT NOT NULL)")
    return database


def accept(database: sqlite3.Connection, command: dict) -> bool:
    """Stores the effect of the command. Returns False if it is stored already."""
    with database:  # one transaction, committed here
        done = database.execute(
            "INSERT INTO acceptances VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (command["command_id"], command["user_id"], command["payload"]["campaign_id"], command.get("issued_at", "")))
    return done.rowcount == 1


def act(database: sqlite3.Connection, message) -> None:
    try:
        command = parse(message.data())
    except ValueError as problem:
        # A real service publishes it to its dead-letter topic. The payload is not printed, as it may
        # be personal data.
        print(f"cannot read message {message.message_id()}: {type(problem).__name__}", file=sys.stderr)
        return
    if accept(database, command):
        print(f"accepted {command['command_id']} user={command['user_id']} campaign={command['payload']['campaign_id']} "
              f"verified={command.get('identity', {}).get('verified')}", flush=True)
    else:
        print(f"again    {command['command_id']}", flush=True)


def subscribe():
    token = os.environ.get("PULSAR_TOKEN")
    client = pulsar.Client(
        os.environ.get("PULSAR_SERVICE_URL") or "pulsar://localhost:6650",
        authentication=pulsar.AuthenticationToken(token) if token else None,
        logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Warn))
    topic = "persistent://{}/{}/{}".format(
        os.environ.get("PULSAR_TENANT") or "public", os.environ.get("PULSAR_NAMESPACE") or "default", TOPIC)
    consumer = client.subscribe(
        topic, SUBSCRIPTION, consumer_type=pulsar.ConsumerType.Failover,
        initial_position=pulsar.InitialPosition.Earliest)  # the default is the end: what waits would be skipped
    return client, consumer


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--idle", type=float, default=0, help="stop when nothing has come for so many seconds; 0: never")
    options.add_argument("--database", default="accepted.db", help="where the effects are kept")
    chosen = options.parse_args()
    database = open_database(chosen.database)
    client, consumer = subscribe()
    try:
        while True:
            try:
                message = consumer.receive(int(chosen.idle * 1000)) if chosen.idle else consumer.receive()
            except pulsar.Timeout:
                return
            act(database, message)
            consumer.acknowledge(message)  # only after the effect is committed
    except KeyboardInterrupt:
        pass
    finally:
        client.close()
        database.close()


if __name__ == "__main__":
    main()
