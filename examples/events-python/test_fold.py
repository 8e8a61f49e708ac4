"""python -m unittest, in this directory."""

import contextlib
import io
import tempfile
import unittest
from unittest import mock

import feed
import fold


def event(sequence: int, status: str = "approved", user: str = "user123") -> dict:
    return {
        "id": f"{user} {sequence}", "sequence": sequence, "type": "commission." + status, "user_id": user,
        "data": {"commission": {"id": "c-" + user, "version": sequence, "status": status, "reason": None}},
    }


def rule(sequence: int, **members) -> dict:
    return {"sequence": sequence, "data": {"rule": {"rule_id": "r-1", "version": 1, **members}}}


class Fold(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.database = fold.open_database(folder.name + "/events.db")
        self.addCleanup(self.database.close)

    def compare(self, **lists) -> int:
        read = lambda name: lists.get(name, [])
        with mock.patch.object(feed, "rows", read), contextlib.redirect_stdout(io.StringIO()):
            return fold.compare(self.database)

    def test_the_newest_state_stays(self):
        for e in (event(1, "held"), event(2), rule(1), rule(2, retired_at="2026-11-26T12:00:00Z")):
            self.assertTrue(fold.fold(self.database, e))
        listed = {"id": "c-user123", "version": 2, "status": "approved", "reason": "checked", "paid": "0.00"}
        retired = {"rule_id": "r-1", "version": 1, "retired_at": "2026-11-26T12:00:00Z"}
        self.assertEqual(self.compare(commissions=[listed], rules=[retired]), 0)
        self.assertEqual(self.compare(commissions=[dict(listed, status="held")], rules=[retired]), 1)
        self.assertEqual(self.compare(commissions=[listed, dict(listed, id="c-2")], rules=[retired]), 1)
        self.assertEqual(self.compare(commissions=[listed]), 1)

    def test_again_changes_nothing(self):
        fold.fold(self.database, event(1, "held"))
        fold.fold(self.database, event(2))
        self.assertFalse(fold.fold(self.database, event(1, "held")))
        listed = {"id": "c-user123", "version": 2, "status": "approved", "reason": None}
        self.assertEqual(self.compare(commissions=[listed]), 0)

    def test_a_missing_event(self):
        with self.assertRaises(fold.Gap):
            fold.fold(self.database, event(2))
        fold.fold(self.database, event(1))
        fold.fold(self.database, event(1, user="user456"))
        with self.assertRaises(fold.Gap):
            fold.fold(self.database, event(3))

    def test_a_page_is_applied_whole_or_not_at_all(self):
        page = ([event(1), event(3)], "next")
        with mock.patch.object(feed, "pages", lambda *_: [page]), self.assertRaises(fold.Gap):
            fold.follow_feed(self.database, 1000, 0)
        self.assertEqual(fold.state(self.database, "cursor"), "")
        self.assertEqual(self.database.execute("SELECT count(*) FROM rows").fetchone(), (0,))

    def test_a_start_from_the_lists(self):
        newer = {"id": "c-user123", "version": 7, "status": "reversed", "reason": None}
        with mock.patch.object(feed, "rows", lambda name: [newer] if name == "commissions" else []):
            fold.load_lists(self.database)
        fold.fold(self.database, event(5))  # older than the list
        self.assertEqual(self.compare(commissions=[newer]), 0)
        with self.assertRaises(fold.Gap):
            fold.fold(self.database, event(7))


if __name__ == "__main__":
    unittest.main()
