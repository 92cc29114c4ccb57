"""The vectors, as these tests read them. What each member means stands in vectors/README.md."""

import json
from base64 import b64decode
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from wasmtime.component import Variant

import host

VECTORS = Path(__file__).resolve().parents[3] / "vectors"
SIGNING = ("published", "signing", "rules", "disagreements", "invalid")


def cases(*files):
    """All cases of these files."""
    return [case for file in files for case in json.loads((VECTORS / f"{file}.json").read_text())["cases"]]


def request(case):
    """The request of a case, as the interface has it."""
    given = case["request"]
    return host.request(
        text(given["method"]),
        text(given["url"]),
        headers(given["headers"]),
        body(given["body"]),
        given.get("date_header", "date"),
    )


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


def body(given):
    """The variant `body`: text where the bytes are UTF-8."""
    kind = given["kind"]
    if kind in ("empty", "unsigned"):
        return Variant(kind)
    if kind == "digest":
        return Variant("digest", host.record(sha256=given["sha256"], length=given["length"]))
    if kind == "text":
        return Variant("text", given["text"])
    if kind == "repeat":
        return Variant("text", given["unit"] * given["count"])
    content = b64decode(given["base64"])
    try:
        return Variant("text", content.decode())
    except UnicodeDecodeError:
        return Variant("bytes", content)


@lru_cache
def pem(name):
    """The text of a key file."""
    return (VECTORS / "keys" / name).read_text()


@lru_cache
def private_key(name):
    """A private key for `cryptography`, read once."""
    return load_pem_private_key(pem(name).encode(), password=None)


@lru_cache
def public_key(name):
    """A public key for `cryptography`, read once."""
    return load_pem_public_key(pem(name).encode())
