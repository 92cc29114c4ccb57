"""An emulator that runs beside the tests."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ocisign

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "vectors"))
COMMAND = os.environ.get("OCISIGN_EMULATOR_COMMAND", str(ROOT / "target/debug/ocisign-emulator"))
SHOW = (
    "import json, os; print(json.dumps(dict(os.environ)), flush=True); import sys; sys.stdin.read()"
)


class Emulator:
    """A running emulator: its environment, and what a test asks of it."""

    def __init__(self, *arguments: str) -> None:
        listen = ["--listen=127.0.0.1:0", "--tls-listen=127.0.0.1:0"]
        show = [sys.executable, "-S", "-c", SHOW]
        self.process = subprocess.Popen(
            [COMMAND, "--quiet", *listen, *arguments, "--", *show],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        environment: dict[str, str] = json.loads(self.process.stdout.readline())
        mine = ("OCI", "KUBERNETES_", "HOME")
        self.environment = {k: v for k, v in environment.items() if k.startswith(mine)}
        self.environment["OCI_DEFAULT_CERTS_PATH"] = environment["OCISIGN_EMULATOR_CA"]
        self.url = environment["OCISIGN_EMULATOR"]
        self.tls_url = environment["OCISIGN_EMULATOR_TLS"]
        self.ca = environment["OCISIGN_EMULATOR_CA"]
        self.bucket = (
            f"{self.url}/n/{environment['OCISIGN_EMULATOR_NAMESPACE']}"
            f"/b/{environment['OCISIGN_EMULATOR_BUCKET']}/o"
        )

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(10)

    def ask(self, method: str, path: str, content: Any = None) -> Any:
        data = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(f"{self.url}/emulator/{path}", data, method=method)
        with urllib.request.urlopen(request) as response:
            text = response.read()
        return json.loads(text) if text else None

    def faults(self, *plan: dict[str, Any]) -> None:
        self.ask("PUT", "faults", list(plan))

    def log(self) -> list[dict[str, Any]]:
        log: list[dict[str, Any]] = self.ask("GET", "log")
        return [entry for entry in log if not entry["path"].startswith("/emulator/")]

    def count(self, method: str, path: str) -> int:
        return sum((e["method"], e["path"]) == (method, path) for e in self.log())

    def signer(self, kind: str = "from_config", **more: Any) -> ocisign.Signer:
        signer: ocisign.Signer = getattr(ocisign.Signer, kind)(environment=self.environment, **more)
        return signer


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    running = Emulator("--resource-principal=2.2")
    yield running
    running.stop()
