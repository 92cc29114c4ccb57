"""Identities that stay fresh: as each principal, in threads, tasks and children."""

import asyncio
import multiprocessing
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from conftest import Emulator

import ocisign
import ocisign.httpx

PRINCIPALS = [
    ("from_config", {}, "api_key", "user"),
    ("session_token", {"profile": "SESSION"}, "security_token", "user"),
    ("resource_principal", {}, "resource_principal", "resource"),
    ("instance_principal", {}, "instance_principal", "instance"),
    ("default", {}, "resource_principal", "resource"),
    ("from_env", {}, "resource_principal", "resource"),
]


def get(signer: ocisign.Signer, url: str) -> int:
    request = urllib.request.Request(url, headers=signer.sign("GET", url).headers)
    try:
        with urllib.request.urlopen(request) as answer:
            status: int = answer.status
            return status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize(("kind", "options", "name", "caller"), PRINCIPALS)
def test_each_principal_acts_as_itself(
    kind: str, options: dict[str, Any], name: str, caller: str, emulator: Emulator
) -> None:
    signer = emulator.signer(kind, **options)
    assert get(signer, f"{emulator.url}/20160918/regions") == 200
    assert caller in emulator.log()[-1]["caller"]
    identity = signer.identity()
    assert identity.kind == name
    assert identity.tenancy == emulator.environment["OCISIGN_EMULATOR_TENANCY"]
    assert identity.region == "us-ashburn-1"


def test_a_pod_acts_as_its_workload(emulator: Emulator) -> None:
    token = emulator.environment["OCISIGN_EMULATOR_SERVICE_ACCOUNT_TOKEN"]
    signer = emulator.signer("oke_workload_identity", token_file=token)
    assert get(signer, f"{emulator.url}/20160918/regions") == 200
    assert "workload" in emulator.log()[-1]["caller"]


def test_an_exchange_runs_without_any_io_of_ours(emulator: Emulator) -> None:
    exchange = ocisign.Exchange.instance_principal(environment=emulator.environment)
    exchange.lost("timeout")  # an answer to nothing asked yet is a first attempt that failed
    while True:
        step = exchange.next_step()
        if isinstance(step, ocisign.Ready):
            break
        if isinstance(step, ocisign.Wait):
            time.sleep(max(0.0, step.until - time.time()))
            continue
        url = step.url.replace(emulator.tls_url, emulator.url)
        request = urllib.request.Request(url, step.body or None, step.headers, method=step.method)
        with urllib.request.urlopen(request, timeout=step.time_limit) as answer:
            exchange.receive(answer.status, list(answer.headers.items()), answer.read())
    assert exchange.region == "us-ashburn-1"
    signer = ocisign.Signer.from_credential(step.credential)
    assert get(signer, f"{emulator.url}/20160918/regions") == 200


def test_many_threads_sign_well_while_refreshes_run(emulator: Emulator) -> None:
    signer = emulator.signer("instance_principal")
    signer.warm()
    stop = threading.Event()

    def refresh() -> None:
        while not stop.is_set():
            signer.refresh()

    beside = threading.Thread(target=refresh)
    beside.start()
    try:
        with ThreadPoolExecutor(16) as pool:
            urls = [f"{emulator.url}/20160918/regions"] * 100
            while signer.status().generation <= 3:
                assert set(pool.map(lambda url: get(signer, url), urls)) == {200}
    finally:
        stop.set()
        beside.join()


def test_case_25_an_event_loop_goes_on_while_a_credential_is_fetched(emulator: Emulator) -> None:
    emulator.faults({"on": "GET /opc/v2/*", "kind": "delay", "delay_ms": 100})
    auth = ocisign.httpx.OciAuth(emulator.signer("instance_principal"))

    async def act() -> tuple[float, list[int]]:
        import httpx

        longest = 0.0

        async def watch() -> None:
            nonlocal longest
            last = time.perf_counter()
            while True:
                await asyncio.sleep(0.001)
                now = time.perf_counter()
                longest = max(longest, now - last)
                last = now

        async with httpx.AsyncClient(auth=auth) as client:
            watching = asyncio.create_task(watch())
            request = client.build_request("GET", f"{emulator.url}/20160918/regions")
            flow = auth.async_auth_flow(request)
            await anext(flow)  # signs, after the first exchange
            watching.cancel()
            return longest, [(await client.send(request)).status_code]

    longest, statuses = asyncio.run(act())
    assert statuses == [200]
    # The exchange takes over 300 ms; a machine that is busy may stall a loop by itself.
    assert longest < 0.1, longest


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_case_24_children_sign(method: str, emulator: Emulator) -> None:
    signer = emulator.signer("instance_principal")
    assert get(signer, f"{emulator.url}/20160918/regions") == 200
    context: Any = multiprocessing.get_context(method)
    queue = context.Queue()
    given = signer if method == "fork" else None
    child = context.Process(target=_child, args=(given, emulator.environment, emulator.url, queue))
    child.start()
    assert queue.get(timeout=30) == [200, 200]
    child.join(30)
    assert child.exitcode == 0
    assert get(signer, f"{emulator.url}/20160918/regions") == 200


def _child(
    signer: ocisign.Signer | None, environment: dict[str, str], url: str, queue: Any
) -> None:
    if signer is None:
        signer = ocisign.Signer.instance_principal(environment=environment)
    first = get(signer, f"{url}/20160918/regions")
    signer.refresh()
    queue.put([first, get(signer, f"{url}/20160918/regions")])


def test_case_24_a_fork_in_the_middle_of_a_refresh_leaves_both_sides_signing(
    emulator: Emulator,
) -> None:
    signer = emulator.signer("instance_principal")
    signer.warm()
    emulator.faults({"on": "POST /v1/x509", "kind": "delay", "delay_ms": 500})
    beside = threading.Thread(target=signer.refresh)
    beside.start()
    time.sleep(0.2)
    context: Any = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_child, args=(signer, {}, emulator.url, queue))
    child.start()
    assert queue.get(timeout=30) == [200, 200]
    child.join(30)
    beside.join()
    assert child.exitcode == 0
    assert signer.status().generation == 2


def test_a_program_that_ends_while_a_refresh_runs_ends(emulator: Emulator) -> None:
    emulator.faults({"on": "GET /opc/v2/*", "kind": "hang"})
    program = (
        "import ocisign\n"
        "signer = ocisign.Signer.instance_principal(on_refresh=lambda *given: print(given))\n"
        "signer.try_sign('GET', 'https://h/')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=emulator.environment,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_command_line_is_there(emulator: Emulator) -> None:
    command = [sys.executable, "-m", "ocisign"]
    run = subprocess.run(
        [*command, "whoami"], env=emulator.environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert "resource_principal" in run.stdout
    run = subprocess.run([*command, "nonsense"], capture_output=True, text=True)
    assert run.returncode == 2
