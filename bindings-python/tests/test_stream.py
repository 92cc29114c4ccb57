"""A gigabyte goes up in constant memory."""

import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import reader

SIZE = 1_000_000_000
KEY = reader.VECTORS / "keys/test-key.pem"

START = f"""
import resource, sys
import ocisign
path, url = sys.argv[1:]
credential = ocisign.Credential("t/u/f", open({str(KEY)!r}).read())
file = open(path, "rb")
"""
END = """
assert status == 200, status
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
REQUESTS = """
import requests
from ocisign.requests import OciAuth
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
auth = OciAuth(credential, sign_body={signed})
status = requests.put(url, data=file, auth=auth).status_code
"""
URLLIB = """
from urllib.request import Request, build_opener
from ocisign.urllib import OciHandler
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
opener = build_opener(OciHandler(credential, sign_body={signed}))
headers = {{"content-length": "1000000000", "content-type": "a/b"}}
request = Request(url, file, headers, method="PUT")
status = opener.open(request).status
"""
HTTPX = """
import httpx
from ocisign.httpx import OciAuth
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
auth = OciAuth(credential, sign_body={signed})
status = httpx.put(url, content=file, auth=auth, timeout=60).status_code
"""
AIOHTTP = """
import asyncio, aiohttp
from ocisign.aiohttp import OciAuth
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
async def main():
    auth = OciAuth(credential, sign_body={signed})
    async with aiohttp.ClientSession(middlewares=[auth]) as session:
        async with session.put(url, data=file) as answer:
            return answer.status
status = asyncio.run(main())
"""


class Sink(socketserver.StreamRequestHandler):
    """Counts a body, and answers."""

    def handle(self) -> None:
        length = 0
        while (line := self.rfile.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode().partition(":")
            if name.lower() == "content-length":
                length = int(value)
        left = length
        while left:
            left -= len(self.rfile.read(min(left, 1 << 20)))
        status = b"200 OK" if length == SIZE else b"400 Bad Request"
        self.wfile.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\n\r\n")


@pytest.fixture(scope="module")
def sink() -> Iterator[str]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Sink) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host, port = server.server_address[:2]
        yield f"http://{host!s}:{port}/n/ns/b/b/o/o"
        server.shutdown()


@pytest.fixture(scope="module")
def gigabyte(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stream") / "gigabyte"
    with path.open("wb") as file:
        file.truncate(SIZE)
    return path


CASES: list[tuple[str, bool]] = [
    (REQUESTS, True),
    (REQUESTS, False),
    (URLLIB, True),
    (URLLIB, False),
    (HTTPX, False),
    (AIOHTTP, True),
    (AIOHTTP, False),
]


@pytest.mark.parametrize(("program", "signed"), CASES)
def test_a_gigabyte(program: str, signed: bool, sink: str, gigabyte: Path) -> None:
    end = END.replace("print(", "print(before, ")
    text = START + program.format(signed=signed) + end
    run: Any = subprocess.run(
        [sys.executable, "-c", text, str(gigabyte), sink], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    before, after = map(int, run.stdout.split())
    assert after - before < 32 * 1024, f"{after - before} KiB more"
