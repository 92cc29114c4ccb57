"""The Python package beside Oracle's SDK: bench.py. In an environment that has both.

Processes and memory as a resource principal 2.2 from files; then what signing costs.
"""

import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import ocisign

KEYS = Path(__file__).resolve().parents[2] / "vectors/keys"
URL = "https://iaas.us-phoenix-1.oraclecloud.com/20160918/instances?limit=10"
RUNS = 30
SECONDS = 3

BARE = "pass"
OURS = f"""
import ocisign
ocisign.Signer.resource_principal().sign("GET", {URL!r})
"""
THEIRS = f"""
from oci.auth.signers import get_resource_principals_signer
from oci._vendor import requests
get_resource_principals_signer()(requests.Request("GET", {URL!r}).prepare())
"""
# Its own: what `getrusage` gives counts the parent, too.
MEMORY = "\nprint(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"


def function(folder: str) -> dict[str, str]:
    """The environment of a function, whose token names its key."""
    public = ocisign.PublicKey((KEYS / "test-key.pub.pem").read_text())
    claims = {"exp": int(time.time()) + 36_000, "res_tenant": "t", "kid": public.fingerprint}
    parts = [{"alg": "none"}, claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in parts]
    token = Path(folder, "rpst")
    token.write_text(".".join([*encoded, "c2ln"]))
    return {
        **os.environ,
        "OCI_RESOURCE_PRINCIPAL_VERSION": "2.2",
        "OCI_RESOURCE_PRINCIPAL_RPST": str(token),
        "OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM": str(KEYS / "test-key.pem"),
        "OCI_RESOURCE_PRINCIPAL_REGION": "us-phoenix-1",
    }


def processes(environment: dict[str, str]) -> None:
    programs = {"python -c pass": BARE, "ocisign": OURS, "oci": THEIRS}
    times: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(RUNS):
        for name, text in programs.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", text], env=environment, check=True)
            times[name].append(time.perf_counter() - start)
    bare = statistics.median(times["python -c pass"])
    for name, text in programs.items():
        middle = statistics.median(times[name])
        run = [sys.executable, "-c", text + MEMORY]
        used = subprocess.run(run, env=environment, check=True, capture_output=True, text=True)
        print(
            f"process {name}: {middle * 1e3:.1f} ms (+{(middle - bare) * 1e3:.1f}), "
            f"{int(used.stdout) / 1024:.1f} MiB"
        )


def rate(function, threads: int = 1) -> float:
    """How often a second, in so many threads together."""

    def count(_) -> int:
        done, end = 0, time.perf_counter() + SECONDS
        while time.perf_counter() < end:
            function()
            done += 1
        return done

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(count, range(threads))) / SECONDS


def signing(environment: dict[str, str]) -> None:
    signer = ocisign.Signer.resource_principal(environment=environment)
    signer.warm()
    credential = signer.identity().credential

    def ours() -> None:
        signer.sign("GET", URL)

    os.environ.update(environment)
    from oci._vendor import requests
    from oci.auth.signers import get_resource_principals_signer

    official = get_resource_principals_signer()
    prepared = requests.Request("GET", URL).prepare()

    def theirs() -> None:
        prepared.headers.clear()
        official(prepared)

    one, official_rate = rate(ours), rate(theirs)
    two = rate(ours, 2)
    print(f"sign: {1e6 / one:.0f} µs; oci {1e6 / official_rate:.0f} µs: {one / official_rate:.2f} times")
    print(f"two threads: {two / one:.2f} times one")
    start = time.perf_counter()
    for _ in range(1_000_000):
        credential.expires  # noqa: B018
    print(f"a call that signs nothing: {time.perf_counter() - start:.3f} µs")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        given = function(folder)
        processes(given)
        signing(given)
