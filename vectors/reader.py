"""Reads the vectors, for any test in Python. What each member means stands in README.md."""

import json
from base64 import b64decode
from functools import lru_cache
from pathlib import Path

VECTORS = Path(__file__).resolve().parent
SIGNING = ("published", "signing", "rules", "disagreements", "invalid")


def cases(*files):
    """All cases of these files."""
    return [case for file in files for case in json.loads((VECTORS / f"{file}.json").read_text())["cases"]]


def text(value):
    """A text: plain, repeated, or put together."""
    if isinstance(value, str):
        return value
    if "repeat" in value:
        unit, count = value["repeat"]
        return unit * count
    return "".join(map(text, value["concat"]))


def headers(entries):
    """Headers, repeated ones written out."""
    pairs = []
    for entry in entries:
        header, count = entry["repeat"] if isinstance(entry, dict) else (entry, 1)
        pairs += [(text(header[0]), text(header[1]))] * count
    return pairs


def content(body):
    """The bytes of a body that is there."""
    if body["kind"] == "text":
        return body["text"].encode()
    if body["kind"] == "repeat":
        return (body["unit"] * body["count"]).encode()
    return b64decode(body["base64"])


@lru_cache
def pem(name):
    """The text of a key file."""
    return (VECTORS / "keys" / name).read_text()
