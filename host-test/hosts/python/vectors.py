"""The vectors, as these tests read them. What each member means stands in vectors/README.md."""

import sys
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from wasmtime.component import Variant

import host

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "vectors"))

from reader import SIGNING, cases, content, headers, pem, text  # noqa: E402, F401


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


def body(given):
    """The variant `body`: text where the bytes are UTF-8."""
    kind = given["kind"]
    if kind in ("empty", "unsigned"):
        return Variant(kind)
    if kind == "digest":
        return Variant("digest", host.record(sha256=given["sha256"], length=given["length"]))
    try:
        return Variant("text", content(given).decode())
    except UnicodeDecodeError:
        return Variant("bytes", content(given))


@lru_cache
def private_key(name):
    """A private key for `cryptography`, read once."""
    return load_pem_private_key(pem(name).encode(), password=None)


@lru_cache
def public_key(name):
    """A public key for `cryptography`, read once."""
    return load_pem_public_key(pem(name).encode())
