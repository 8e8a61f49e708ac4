"""The topic of commission events as a source of the fold."""

import json
import os
import sqlite3

import pulsar

import fold

TOPIC = "commission-events"
IDLE = 3  # seconds without a message that end the program, without --wait


def subscribe(subscription: str, batch: int, wait: int) -> tuple[pulsar.Client, pulsar.Consumer]:
    token = os.environ.get("PULSAR_TOKEN")
    client = pulsar.Client(
        os.environ.get("PULSAR_SERVICE_URL") or "pulsar://localhost:6650",
        authentication=pulsar.AuthenticationToken(token) if token else None,
        logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Warn))
    name = "persistent://{}/{}/{}".format(
        os.environ.get("PULSAR_TENANT") or "public", os.environ.get("PULSAR_NAMESPACE") or "default", TOPIC)
    consumer = client.subscribe(
        name, subscription,
        consumer_type=pulsar.ConsumerType.Failover,  # keeps the order of a key, with standby consumers
        initial_position=pulsar.InitialPosition.Earliest,
        batch_receive_policy=pulsar.ConsumerBatchReceivePolicy(batch, 10 << 20, 1000 * (wait or IDLE)))
    return client, consumer


def follow(database: sqlite3.Connection, subscription: str, batch: int, wait: int) -> None:
    client, consumer = subscribe(subscription, batch, wait)
    try:
        while True:
            messages = consumer.batch_receive()
            if not messages and not wait:
                return
            with database:  # the effect is safe before the broker may forget the messages
                fresh = sum([fold.fold(database, json.loads(message.data())) for message in messages])
            for message in messages:
                consumer.acknowledge(message)
            print(f"{fresh} of {len(messages)} events applied", flush=True)
    finally:
        client.close()
