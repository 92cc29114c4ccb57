"""What all adapters have in common."""

from __future__ import annotations

import hashlib
from typing import IO, Any

from ocisign._errors import error_of
from ocisign._ocisign import Credential, Digest, Signer

METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
# What is taken off before a request is signed once more.
SIGNATURE = ("authorization", "date", "x-date", "x-content-sha256", "opc-obo-token")

_CHUNK = 1 << 20


def signer_of(source: Signer | Credential) -> Signer:
    """What an adapter was given to sign with."""
    if isinstance(source, Credential):
        return Signer.from_credential(source)
    if not isinstance(source, Signer):
        raise TypeError(f"source: expected a Signer or Credential, not {type(source).__name__}")
    return source


def digest_of(file: IO[bytes]) -> Digest:
    """The digest of a binary file from where it stands, which is where it stands afterwards."""
    try:
        start = file.tell()
    except (AttributeError, OSError):
        raise unknown("cannot be read twice") from None
    sha256 = hashlib.sha256()
    length = 0
    while chunk := file.read(_CHUNK):
        if isinstance(chunk, str):
            raise error_of("BODY_UNKNOWN", "the body is a file opened for text: open it with 'rb'")
        sha256.update(chunk)
        length += len(chunk)
    file.seek(start)
    return Digest(sha256.digest(), length)


def unknown(why: str) -> Exception:
    """A body that cannot be signed, and what to do about it."""
    return error_of(
        "BODY_UNKNOWN",
        f"the body {why}: give its bytes or a file, or leave it out of the signature with "
        "sign_body=False, where OCI accepts that",
    )


def is_file(body: Any) -> bool:
    return hasattr(body, "read")


def position_of(body: Any) -> int | None:
    """Where a file stands, if it is one that can say so."""
    if not is_file(body):
        return None
    try:
        position: int = body.tell()
    except (AttributeError, OSError):
        return None
    return position


def rewind(body: Any, position: int | None) -> bool:
    """Whether the body can be sent a second time."""
    if body is None or isinstance(body, bytes | bytearray | str):
        return True
    if position is None:
        return False
    try:
        body.seek(position)
    except (AttributeError, OSError, ValueError):
        return False
    return True
