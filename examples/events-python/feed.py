"""The API of commission, as far as these programs read it: the feed of events, and lists."""

import json
import os
import urllib.error
import urllib.parse
import urllib.request

TIMEOUT = 60  # seconds; the feed answers after 30 at the latest


class Expired(Exception):
    """Events after the cursor are no longer kept."""


def get(path: str, **query) -> dict:
    url = os.environ.get("COMMISSION_URL") or "http://localhost:8001"
    query = {name: value for name, value in query.items() if value}
    request = urllib.request.Request(f"{url}/api/v1/commission/{path}?{urllib.parse.urlencode(query)}")
    if token := os.environ.get("COMMISSION_TOKEN"):
        request.add_header("Authorization", "Bearer " + token)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as problem:
        if problem.code == 409:
            raise Expired from problem
        raise


def pages(cursor: str, limit: int, wait: int):
    """Yields the events after the cursor, a page at a time, each with the cursor that follows it.

    Ends at the end of the feed if wait is 0. Otherwise it never ends, and a page is empty when
    nothing has happened for so many seconds.
    """
    while True:
        page = get("events", cursor=cursor, limit=limit, wait=f"{wait}s" if wait else "")
        cursor = page["next_cursor"]
        yield page["data"], cursor
        if not wait and not page["has_more"]:
            return


def rows(name: str):
    """Yields the rows of a list."""
    cursor = ""
    while True:
        page = get(name, cursor=cursor, limit=1000)
        yield from page["data"]
        if not page["has_more"]:
            return
        cursor = page["next_cursor"]
