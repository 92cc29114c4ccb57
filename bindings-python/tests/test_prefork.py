"""A server that forks its workers after it has signed."""

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from conftest import Emulator

TESTS = Path(__file__).resolve().parent


def ask(path: Path, target: str) -> list[str]:
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(20)
    connection.sock.connect(str(path))
    connection.request("GET", target)
    return connection.getresponse().read().decode().split()


def test_case_24_workers_of_gunicorn_sign_and_refresh_by_themselves(emulator: Emulator) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "s")
        command = [str(Path(sys.executable).with_name("gunicorn")), "wsgi:application"]
        options = ["--preload", "--workers=2", "--threads=4", f"--bind=unix:{path}"]
        environment = emulator.environment | {"PATH": os.environ["PATH"]}
        server = subprocess.Popen(
            [*command, *options], env=environment, cwd=TESTS, stderr=subprocess.DEVNULL
        )
        try:
            end = time.monotonic() + 20
            while not path.exists() and time.monotonic() < end:
                time.sleep(0.01)
            with ThreadPoolExecutor(8) as pool:
                targets = ["/", "/refresh", "/", "/"] * 20
                answers = list(pool.map(lambda target: ask(path, target), targets))
        finally:
            server.terminate()
            server.wait(20)
    assert {(status, forked) for status, _, forked in answers} == {("200", "True")}
    assert len({worker for _, worker, _ in answers}) == 2
