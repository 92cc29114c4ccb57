"""ocisign-federation.wasm in wasmtime-py, against the emulator: the sending is done here."""

import os
import subprocess
from pathlib import Path
from time import time

import pytest

from host import (
    CompiledComponent,
    Instance,
    KeyForTheGuest,
    OcisignError,
    entropy,
    environment,
    record,
    request,
    send,
)

ROOT = Path(__file__).resolve().parents[3]
EMULATOR = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "ocisign-emulator"
SESSION_KEY = (ROOT / "vectors" / "keys" / "test-key.pem").read_text()


@pytest.fixture(scope="module")
def component():
    """ocisign-federation.wasm, compiled."""
    return CompiledComponent("ocisign-federation.wasm")


@pytest.fixture
def emulator():
    """Start the emulator; what a program finds that runs at it, as a resource of this version."""
    running = []

    def start(version):
        listen = ["--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0", f"--resource-principal={version}"]
        # It stays for as long as its command, which reads until the end.
        command = [EMULATOR, "--quiet", *listen, "--", "sh", "-c", "env; echo =; cat"]
        running.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        lines = iter(running[-1].stdout.readline, "=\n")
        return dict(line.rstrip("\n").partition("=")[::2] for line in lines)

    yield start
    for process in running:
        process.communicate()


@pytest.mark.parametrize("version", ["1.1", "2.1", "2.1.1", "2.1.2", "2.2", "3.0"])
def test_a_resource_becomes_a_principal(component, emulator, version):
    variables = emulator(version)
    instance = Instance(component)
    paths = instance.call("exchanges.paths-in", list(variables.items()))
    where = environment(variables, paths)
    exchange = instance.call("exchanges.[static]exchange.resource-principal", where, SESSION_KEY, entropy())
    key = instance.run(exchange, send)
    assert instance.call("exchanges.[method]exchange.region", exchange).id == "us-ashburn-1"
    exchange.drop(instance.store)
    assert status(variables, key) == 200


def test_an_instance_becomes_a_principal_with_a_key_made_in_the_guest(component, emulator):
    variables = emulator("2.2")
    instance = Instance(component)
    exchange = instance.call(
        "exchanges.[static]exchange.instance-principal", environment(variables), None, entropy()
    )
    assert status(variables, instance.run(exchange, send)) == 200


def test_a_pod_becomes_a_workload(component, emulator):
    variables = emulator("2.2")
    instance = Instance(component)
    token = Path(variables["OCISIGN_EMULATOR_SERVICE_ACCOUNT_TOKEN"]).read_text()
    exchange = instance.call(
        "exchanges.[static]exchange.workload-identity", token, environment(variables), SESSION_KEY, entropy()
    )
    authority = variables["OCI_KUBERNETES_SERVICE_ACCOUNT_CERT_PATH"]
    key = instance.run(exchange, lambda request: send(request, authority))
    assert status(variables, key) == 200


def test_a_refusal_is_raised_with_its_code(component, emulator):
    variables = emulator("2.2") | {"OCI_METADATA_BASE_URL": "http://127.0.0.1:9/opc/v2"}
    instance = Instance(component)
    with pytest.raises(OcisignError, match="_RPST: the host gave no such file") as refused:
        instance.call("exchanges.[static]exchange.resource-principal", environment(variables), None, entropy())
    assert refused.value.code == "FILE_UNREADABLE"
    exchange = instance.call(
        "exchanges.[static]exchange.instance-principal", environment(variables), SESSION_KEY, entropy()
    )
    asked = []
    with pytest.raises(OcisignError, match="GET http://127.0.0.1:9/opc/v2/instance/regionInfo") as refused:
        instance.run(exchange, lambda request: asked.append(request.url) or "tls")
    assert (refused.value.code, len(asked)) == ("EXCHANGE_UNREACHABLE", 1)


def status(variables, key):
    """What the emulator answers to what ocisign.wasm signs with this key."""
    url = f"{variables['OCISIGN_EMULATOR']}/20160918/regions"
    signer = Instance(CompiledComponent("ocisign.wasm"), KeyForTheGuest("", ""))
    signed = signer.call("signer.sign-with", request("GET", url), key, int(time()))
    fields = {"time-limit": 10, "size-limit": 65_536, "method": "GET", "url": url, "body": None, "headers": signed}
    return send(record(**fields)).status
