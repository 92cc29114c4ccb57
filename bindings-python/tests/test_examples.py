"""The programs of examples/python run, against the emulator."""

import subprocess
import sys
from pathlib import Path

from conftest import ROOT, Emulator


def run(emulator: Emulator, name: str, *arguments: str) -> str:
    program = str(ROOT / "examples/python" / name)
    environment = emulator.environment | {"ENDPOINT": emulator.url}
    done = subprocess.run(
        [sys.executable, program, *arguments], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_vcns_are_listed(emulator: Emulator) -> None:
    compartment = emulator.environment["OCISIGN_EMULATOR_COMPARTMENT"]
    assert "ocid1.vcn." in run(emulator, "list_vcns.py", compartment)


def test_a_secret_is_read(emulator: Emulator) -> None:
    secret = emulator.environment["OCISIGN_EMULATOR_SECRET"]
    assert run(emulator, "read_secret.py", secret)


def test_an_object_is_put(emulator: Emulator, tmp_path: Path) -> None:
    path = tmp_path / "a b.bin"
    path.write_bytes(bytes(range(256)) * 4_000)
    names = [emulator.environment[f"OCISIGN_EMULATOR_{name}"] for name in ("NAMESPACE", "BUCKET")]
    assert "/o/a%20b.bin" in run(emulator, "put_object.py", *names, str(path))
    assert emulator.log()[-1]["method"] == "PUT"


def test_many_are_asked_at_once(emulator: Emulator) -> None:
    assert run(emulator, "fan_out.py", "100") == "100 of 100 answered 200\n"


def test_a_chat_is_signed(emulator: Emulator) -> None:
    assert "Say hello." in run(emulator, "chat.py", f"{emulator.url}/echo/v1", "model")


def test_every_example_is_here() -> None:
    text = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    for path in (ROOT / "examples/python").glob("*.py"):
        assert path.name in text, path
