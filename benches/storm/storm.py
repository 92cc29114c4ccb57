"""Oracle's SDK for Python, or ocisign's package, in a storm of refreshes: storm.py SECONDS THREADS [ocisign], in the
emulator's environment.

Every thread signs as the same instance, again and again, and verifies what it got with the key that the token itself
names. One line of JSON says how that went.
"""

import base64
import collections
import json
import os
import sys
import threading
import time

import oci
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from oci._vendor import requests
from oci.auth import signers

URL = "https://identity.us-ashburn-1.oci.oraclecloud.com/20160918/regions"


def main(seconds, threads, whose="oci"):
    name, signer = SIGNERS[whose]()
    counts, longest, end = collections.Counter(), [0.0] * threads, time.monotonic() + seconds
    totals = [collections.Counter() for _ in range(threads)]
    workers = [
        threading.Thread(target=work, args=(signer, end, totals, longest, index)) for index in range(threads)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for total in totals:
        counts.update(total)
    errors = {name[6:]: count for name, count in counts.items() if name.startswith("error ")}
    print(
        json.dumps(
            {
                "signer": name,
                "signed": counts["good"] + counts["mismatched"],
                "good": counts["good"],
                "mismatched": counts["mismatched"],
                "errors": sum(errors.values()),
                "longest_ms": round(max(longest) * 1000),
                "kinds": errors,
            }
        )
    )


def official():
    endpoint = os.environ["OCISIGN_EMULATOR"] + "/v1/x509"
    signer = signers.InstancePrincipalsSecurityTokenSigner(federation_endpoint=endpoint)
    return f"oci (Python) {oci.__version__}", signer


def ours():
    import ocisign
    import ocisign.oci_sdk

    signer = ocisign.Signer.instance_principal()
    signer.warm()

    def refresh():
        # It would do so at half of a life; here each second.
        while True:
            time.sleep(1)
            try:
                signer.refresh()
            except ocisign.OciSignError:
                pass

    threading.Thread(target=refresh, daemon=True).start()
    return f"ocisign (Python) {ocisign.__version__}", ocisign.oci_sdk.Signer(signer)


SIGNERS = {"oci": official, "ocisign": ours}


def work(signer, end, totals, longest, index):
    counts = totals[index]
    while time.monotonic() < end:
        request = requests.Request("GET", URL).prepare()
        start = time.monotonic()
        try:
            signer(request)
        except Exception as error:
            counts["error " + type(error).__name__] += 1
            # A caller that was refused does something else first.
            time.sleep(0.01)
            continue
        finally:
            longest[index] = max(longest[index], time.monotonic() - start)
        counts["good" if verifies(request) else "mismatched"] += 1


def verifies(request):
    """Whether the key in the token made the signature, as OCI finds out."""
    parameters = request.headers["authorization"].removeprefix("Signature ").split(",")
    parameters = {name: value.strip('"') for name, value in (each.split("=", 1) for each in parameters)}
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers["(request-target)"] = f"get {request.path_url}"
    text = "\n".join(f"{name}: {headers[name]}" for name in parameters["headers"].split(" "))
    claims = json.loads(decode(parameters["keyId"].split(".")[1]))
    jwk = json.loads(claims["jwk"])
    key = rsa.RSAPublicNumbers(number(jwk["e"]), number(jwk["n"])).public_key()
    try:
        key.verify(base64.b64decode(parameters["signature"]), text.encode(), padding.PKCS1v15(), SHA256())
        return True
    except InvalidSignature:
        return False


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(text):
    return int.from_bytes(decode(text), "big")


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
