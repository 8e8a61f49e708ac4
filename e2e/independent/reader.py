"""Reads tracking-events from the beginning with the Python client, which shares no code with ours, and checks each message.

Usage: reader.py SERVICE_URL TOPIC SCHEMA_FILE EVENT_ID...
Prints one line of JSON per message whose event id was asked for; ends when all were seen, with 1 when a message breaks the schema.
"""

import json
import sys
import time

import jsonschema
import pulsar

service_url, topic, schema_file, *wanted = sys.argv[1:]
with open(schema_file, encoding="utf-8") as file:
    validator = jsonschema.Draft202012Validator(json.load(file))

client = pulsar.Client(service_url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
consumer = client.subscribe(
    topic,
    "independent-reader",
    consumer_type=pulsar.ConsumerType.Exclusive,
    initial_position=pulsar.InitialPosition.Earliest,
)
missing, deadline = set(wanted), time.monotonic() + 30
while missing:
    if time.monotonic() > deadline:
        sys.exit(f"not published within 30 s: {sorted(missing)}")
    try:
        message = consumer.receive(timeout_millis=1000)
    except pulsar.Timeout:
        continue
    event = json.loads(message.data())
    for fault in validator.iter_errors(event):
        sys.exit(f"event {event.get('event_id')} breaks the schema: {fault.message}")
    if event["event_id"] in missing:
        missing.remove(event["event_id"])
        print(
            json.dumps(
                {
                    "key": message.partition_key(),
                    "properties": message.properties(),
                    "event_time": message.event_timestamp(),
                    "publish_time": message.publish_timestamp(),
                    "event": event,
                }
            )
        )
consumer.close()
client.close()
