"""python -m unittest, in this directory."""

import copy
import json
import tempfile
import unittest

import consumer

COMMAND = {
    "command_id": "c-1", "command_type": "campaign.accept", "schema_version": "v1", "user_id": "user123", "issued_at": "2026-11-23T12:00:00Z",
    "identity": {"verified": True}, "payload": {"campaign_id": "camp123", "accepted_terms": True}, "added_later": 1,
}


class Consumer(unittest.TestCase):
    def test_once_over_restarts(self):
        with tempfile.TemporaryDirectory() as folder:
            for want in (True, False, False):
                database = consumer.open_database(folder + "/accepted.db")
                self.assertEqual(consumer.accept(database, COMMAND), want)
                database.close()

    def test_what_is_no_command(self):
        other = copy.deepcopy(COMMAND)
        other["schema_version"] = "v2"
        nameless = copy.deepcopy(COMMAND)
        nameless["payload"] = {}
        for text in (b"", b"junk", b"[]", b"{}", b"\xff", json.dumps(other).encode(), json.dumps(nameless).encode()):
            with self.assertRaises(ValueError):
                consumer.parse(text)

    def test_a_command(self):
        self.assertEqual(consumer.parse(json.dumps(COMMAND).encode())["user_id"], "user123")


if __name__ == "__main__":
    unittest.main()
