"""Random requests, signed by Oracle's SDK and by ocisign: differential.py [HOW_MANY].

Both get what `requests` made ready to send. Where both accept it, all that they signed is
compared, byte by byte.
"""

import random
import string
import sys
from pathlib import Path
from typing import Any

from oci._vendor import requests
from oci.signer import Signer

import ocisign

KEYS = Path(__file__).resolve().parents[3] / "vectors/keys"
DATE = "Mon, 01 Jan 2024 12:04:05 GMT"
SIGNED = ("date", "host", "content-length", "content-type", "x-content-sha256")
PATH = string.ascii_letters + string.digits + "-._~!$&'()*+,;=:@/%25%20"
NAMES = ["accept", "opc-request-id", "opc-retry-token", "if-match", "x-custom"]
TYPES = ["application/json", "text/plain; charset=utf-8", "application/octet-stream"]


def text(chance: random.Random, letters: str, most: int) -> str:
    return "".join(chance.choice(letters) for _ in range(chance.randrange(most)))


def made(chance: random.Random) -> Any:
    """A request as a program may make it."""
    method = chance.choice(["GET", "HEAD", "DELETE", "PUT", "POST", "PATCH"])
    port = chance.choice(["", "", ":8443"])  # the SDK signs ":443" too
    url = f"https://{text(chance, string.ascii_lowercase, 9)}x.example.com{port}/"
    url += text(chance, PATH, 40).replace("%", "%25")
    if chance.random() < 0.5:
        url += "?" + text(chance, PATH + "?", 40).replace("%", "%2F")
    headers = {name: text(chance, string.ascii_letters, 20) for name in chance.sample(NAMES, 2)}
    headers["date"] = DATE
    if chance.random() < 0.4:
        headers["content-type"] = chance.choice(TYPES)
    body: Any = None
    if method in ("PUT", "POST", "PATCH") and chance.random() < 0.8:
        body = chance.choice([chance.randbytes(chance.randrange(500)), text(chance, PATH, 200)])
    return requests.Request(method, url, headers, data=body).prepare()


def main(count: int) -> None:
    chance = random.Random(20_261_122)
    pem = (KEYS / "test-key.pem").read_text()
    credential = ocisign.Credential("t/u/f", pem)
    official = Signer("t", "u", "f", None, private_key_content=pem)
    alike = refused = 0
    for number in range(count):
        theirs = made(chance)
        ours = theirs.copy()
        body = ours.body.encode() if isinstance(ours.body, str) else ours.body
        try:
            signed = ocisign.sign(
                ours.method, ours.url, credential, headers=dict(ours.headers), body=body
            )
        except ocisign.OciSignError:
            refused += 1
            continue
        official(theirs)
        same = {name: theirs.headers.get(name) for name in SIGNED if name in signed}
        assert {name: signed[name] for name in same} == same, (number, theirs.url)
        parts = dict(part.split("=", 1) for part in signed["authorization"][10:].split(","))
        for part in ("headers", "signature", "keyId"):
            assert f"{part}={parts[part]}" in theirs.headers["authorization"], (number, theirs.url)
        alike += 1
    print(f"ok: {alike} of {count} signed alike, {refused} refused by ocisign")
    assert refused * 100 < count


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
