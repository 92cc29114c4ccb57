"""A service that signs, as gunicorn loads it: once, before it forks."""

import os
from collections.abc import Callable, Iterable
from typing import Any
from urllib.request import build_opener

import ocisign
from ocisign.urllib import OciHandler

SIGNER = ocisign.Signer.instance_principal()
SIGNER.warm()
PARENT = os.getpid()


def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/refresh":
        SIGNER.refresh()
    opener = build_opener(OciHandler(SIGNER))
    with opener.open(os.environ["OCISIGN_EMULATOR"] + "/20160918/regions") as answer:
        status = answer.status
    start("200 OK", [("content-type", "text/plain")])
    return [f"{status} {os.getpid()} {os.getpid() != PARENT}".encode()]
