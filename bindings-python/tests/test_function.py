"""A function runs as the platform runs it: by `fdk`, over its Unix socket, from files."""

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, Emulator

FUNCTION = ROOT / "examples/python/function.py"


class Function:
    """A function that waits for calls."""

    def __init__(self, emulator: Emulator) -> None:
        # Not pytest's own: a socket's path has to be short.
        self.folder = Path(tempfile.mkdtemp())
        self.socket = self.folder / "fn.sock"
        environment = emulator.environment | {
            "FN_FORMAT": "http-stream",
            "FN_LISTENER": f"unix:{self.socket}",
            "IDENTITY_ENDPOINT": emulator.url,
            "PATH": os.environ["PATH"],
        }
        fdk = str(Path(sys.executable).with_name("fdk"))
        self.process = subprocess.Popen([fdk, str(FUNCTION), "handler"], env=environment)
        end = time.monotonic() + 20
        while not self.socket.exists() and time.monotonic() < end:
            time.sleep(0.01)

    def call(self) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(20)
        connection.sock.connect(str(self.socket))
        deadline = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 30))
        headers = {"Fn-Call-Id": "call", "Fn-Deadline": deadline, "content-type": "text/plain"}
        connection.request("POST", "/call", b"{}", headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        shutil.rmtree(self.folder)


@pytest.fixture
def function(emulator: Emulator) -> Iterator[Function]:
    running = Function(emulator)
    yield running
    running.stop()


def test_a_function_reads_its_own_tenancy(function: Function, emulator: Emulator) -> None:
    for _ in range(2):
        status, content = function.call()
        assert status == 200, content
        tenancy = emulator.environment["OCISIGN_EMULATOR_TENANCY"]
        assert json.loads(content)["id"] == tenancy
    assert "resource" in emulator.log()[-1]["caller"]
