"""The examples of the documents run, against the emulator in place of OCI."""

import re
from pathlib import Path

import pytest
from conftest import ROOT, Emulator

DOCUMENTS = [ROOT / "README.md", ROOT / "docs/python.md", ROOT / "bindings-python/README.md"]
EXAMPLE = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HOST = re.compile(r"https://[a-z0-9.-]+\.oraclecloud\.com")


def examples() -> list[tuple[str, str]]:
    found = [(path, example) for path in DOCUMENTS for example in EXAMPLE.findall(path.read_text())]
    return [(f"{path.name}-{number}", text) for number, (path, text) in enumerate(found)]


def test_there_are_examples() -> None:
    assert len(examples()) > 8


@pytest.mark.parametrize("text", [text for _, text in examples()], ids=[n for n, _ in examples()])
def test_each_example_runs(
    text: str, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OCI_CLI_CONFIG_FILE", emulator.environment["OCI_CONFIG_FILE"])
    monkeypatch.chdir(tmp_path)
    keys = ROOT / "vectors/keys"
    names = {
        "__name__": "__main__",
        "KEY_FILE": str(keys / "test-key.pem"),
        "PUBLIC_KEY_FILE": str(keys / "test-key.pub.pem"),
    }
    exec(compile(HOST.sub(emulator.url, text), "example", "exec"), names)
