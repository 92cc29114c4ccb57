"""Oracle's SDK for Python against ocisign-emulator: client.py PRINCIPAL."""

import base64
import io
import json
import os
import sys

import oci
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from oci._vendor import requests
from oci.auth import signers
from oci.auth.rpt_path_providers import EnvRptPathProvider

SERVICES = os.environ["OCISIGN_EMULATOR"]
TENANCY = os.environ["OCISIGN_EMULATOR_TENANCY"]
COMPARTMENT = os.environ["OCISIGN_EMULATOR_COMPARTMENT"]
SECRET = os.environ["OCISIGN_EMULATOR_SECRET"]
SECRET_NAME = os.environ["OCISIGN_EMULATOR_SECRET_NAME"]
VAULT = os.environ["OCISIGN_EMULATOR_VAULT"]
NAMESPACE = os.environ["OCISIGN_EMULATOR_NAMESPACE"]
BUCKET = os.environ["OCISIGN_EMULATOR_BUCKET"]

# Characters that the SDK escapes, and that a careless server unescapes before it verifies.
OBJECT = "clients/python ü+%2F.bin"
CONTENT = bytes(range(256)) * 17


# The five kinds of principal.


def api_key():
    config = oci.config.from_file(os.environ["OCI_CONFIG_FILE"], "DEFAULT")
    return config, signer_of(config, config["key_file"])


def session_token():
    config = oci.config.from_file(os.environ["OCI_CONFIG_FILE"], "SESSION")
    with open(config["security_token_file"]) as file:
        token = file.read().strip()
    key = oci.signer.load_private_key_from_file(config["key_file"])
    return config, signers.SecurityTokenSigner(token, key)


def instance_principal():
    signer = signers.InstancePrincipalsSecurityTokenSigner(federation_endpoint=SERVICES + "/v1/x509")
    assert signer.tenancy_id == TENANCY, signer.tenancy_id
    return {"region": signer.region}, signer


def resource_principal():
    path = None
    if os.environ["OCI_RESOURCE_PRINCIPAL_VERSION"] == "1.1":
        # Version 1.1 takes its instance principal without arguments, so the address of the auth service can be
        # changed in the table of endpoints only. The default path provider asks the real metadata address, this
        # one does not.
        oci.regions.endpoint_for = lambda service, *_, **__: {"auth": SERVICES}[service]
        path = EnvRptPathProvider()
    signer = signers.get_resource_principals_signer(path)
    return {"region": signer.region}, signer


def oke_workload_identity():
    token = os.environ["OCISIGN_EMULATOR_SERVICE_ACCOUNT_TOKEN"]
    signer = signers.get_oke_workload_identity_resource_principal_signer(service_account_token_path=token)
    return {"region": signer.region}, signer


PRINCIPALS = (api_key, session_token, instance_principal, resource_principal, oke_workload_identity)


# What each of them does.


def calls(config, signer):
    network = oci.core.VirtualNetworkClient(config, signer=signer, service_endpoint=SERVICES + "/20160918")
    vcns = network.list_vcns(COMPARTMENT).data
    expect("list VCNs", all(vcn.compartment_id == COMPARTMENT for vcn in vcns))

    identity = oci.identity.IdentityClient(config, signer=signer, service_endpoint=SERVICES + "/20160918")
    expect("get tenancy", identity.get_tenancy(TENANCY).data.id == TENANCY)
    expect("list regions", config["region"] in [region.name for region in identity.list_regions().data])

    secrets = secrets_client(config, signer)
    expect("get secret by id", content_of(secrets.get_secret_bundle(SECRET)) == b"s3cret")
    expect("get secret by name", content_of(secrets.get_secret_bundle_by_name(SECRET_NAME, VAULT)) == b"s3cret")

    storage = oci.object_storage.ObjectStorageClient(config, signer=signer, service_endpoint=SERVICES)
    expect("get namespace", storage.get_namespace().data == NAMESPACE)
    for what, body in (("bytes", CONTENT), ("stream", io.BytesIO(CONTENT[::-1])), ("nothing", b"")):
        sent = body.getvalue() if isinstance(body, io.BytesIO) else body
        storage.put_object(NAMESPACE, BUCKET, OBJECT, body)
        got = storage.get_object(NAMESPACE, BUCKET, OBJECT).data.content
        expect(f"put and get object, {what}", got == sent)


def refusals(config, signer):
    stranger = SECRET[:-4] + "none"
    refused(
        "get secret that is not there",
        404,
        "NotAuthorizedOrNotFound",
        lambda: secrets_client(config, signer).get_secret_bundle(stranger),
    )
    for what, bad in bad_signers(config, signer):
        secrets = secrets_client(config, bad)
        refused(what, 401, "NotAuthenticated", lambda: secrets.get_secret_bundle(SECRET))
        body = {"secret_name": SECRET_NAME, "vault_id": VAULT}
        refused(f"{what}, with a body", 401, "NotAuthenticated", lambda: secrets.get_secret_bundle_by_name(**body))


def bad_signers(config, signer):
    """Signers that differ from this one in one thing each."""
    key = new_key()
    if isinstance(signer, oci.signer.Signer):
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        yield "wrong key", signer_of(config, None, private_key_content=pem)
        yield "changed key id", signer_of({**config, "fingerprint": ":".join(["ab"] * 16)}, config["key_file"])
    else:
        token = signer.api_key.removeprefix("ST$")
        yield "wrong key", signers.SecurityTokenSigner(token, key)
        yield "changed key id", signers.SecurityTokenSigner(live_longer(token), signer.private_key)


def recovery(config, signer):
    """A key that went bad is a 401, after which the SDK fetches another by itself and repeats the call."""
    key = new_key()
    supplier = getattr(signer, "federation_client", signer).session_key_supplier
    supplier.private_key, supplier.public_key = key, key.public_key()
    signer._basic_signer.reset_signer(signer.api_key, key)
    expect("recovery from 401", content_of(secrets_client(config, signer).get_secret_bundle(SECRET)) == b"s3cret")
    expect("another key", signer.private_key is not key)


def session_of_api_key(config, signer):
    """A session without a browser: a token for a new key, asked for with the API key."""
    key = new_key()
    public_key = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    details = oci.identity_data_plane.models.GenerateUserSecurityTokenDetails(
        public_key=public_key.decode(), session_expiration_in_minutes=5
    )
    auth = oci.identity_data_plane.DataplaneClient(config, signer=signer, service_endpoint=SERVICES)
    session = signers.SecurityTokenSigner(auth.generate_user_security_token(details).data.token, key)
    expect("session of an API key", content_of(secrets_client(config, session).get_secret_bundle(SECRET)) == b"s3cret")


def refreshed_session(config, signer):
    """OCI's command line refreshes like this; the SDK itself does not."""
    body = {"currentToken": signer.api_key.removeprefix("ST$")}
    answer = requests.post(SERVICES + "/v1/authentication/refresh", json=body, auth=signer)
    expect("refresh of the session", answer.status_code == 200)
    session = signers.SecurityTokenSigner(answer.json()["token"], signer.private_key)
    expect("refreshed session", content_of(secrets_client(config, session).get_secret_bundle(SECRET)) == b"s3cret")


# Helpers.


def new_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def signer_of(config, key_file, **options):
    return oci.signer.Signer(
        config["tenancy"], config["user"], config["fingerprint"], private_key_file_location=key_file, **options
    )


def secrets_client(config, signer):
    return oci.secrets.SecretsClient(config, signer=signer, service_endpoint=SERVICES + "/20190301")


def content_of(bundle):
    return base64.b64decode(bundle.data.secret_bundle_content.content, validate=True)


def live_longer(token):
    """The token with another year to live, which its signature does not cover."""
    head, claims, signature = token.split(".")
    text = base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)).decode()
    claims = json.loads(text)
    claims["exp"] += 365 * 24 * 3600
    changed = json.dumps(claims, separators=(",", ":")).encode()
    return ".".join((head, base64.urlsafe_b64encode(changed).rstrip(b"=").decode(), signature))


def expect(call, true):
    if not true:
        sys.exit(f"FAILED: {LABEL}: {call}")
    print(f"ok: {LABEL}: {call}", flush=True)


def refused(call, status, code, function):
    try:
        function()
    except oci.exceptions.ServiceError as error:
        expect(f"{call}: {error.status} {error.code}", (error.status, error.code) == (status, code))
    else:
        expect(f"{call} was not refused", False)


if __name__ == "__main__":
    principal = {function.__name__: function for function in PRINCIPALS}[sys.argv[1]]
    LABEL = principal.__name__
    if principal is resource_principal:
        LABEL += " " + os.environ["OCI_RESOURCE_PRINCIPAL_VERSION"]
    config, signer = principal()
    calls(config, signer)
    refusals(config, signer)
    if principal is api_key:
        session_of_api_key(config, signer)
    if principal is session_token:
        refreshed_session(config, signer)
    if hasattr(signer, "refresh_security_token"):
        recovery(config, signer)
