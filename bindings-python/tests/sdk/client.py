"""Oracle's SDK for Python with the signer of ocisign, in an emulator: client.py."""

import io
import json
import os
import urllib.request
from typing import Any

import oci

import ocisign
from ocisign.oci_sdk import Signer

URL = os.environ["OCISIGN_EMULATOR"]
NAMESPACE = os.environ["OCISIGN_EMULATOR_NAMESPACE"]
BUCKET = os.environ["OCISIGN_EMULATOR_BUCKET"]
TENANCY = os.environ["OCISIGN_EMULATOR_TENANCY"]
CONTENT = bytes(range(256)) * 1_000


def refuse_once() -> None:
    plan = [{"on": "GET /20160918/regions", "times": 1, "kind": "status", "status": 401}]
    data = json.dumps(plan).encode()
    request = urllib.request.Request(f"{URL}/emulator/faults", data, method="PUT")
    urllib.request.urlopen(request).close()


def act(source: ocisign.Signer) -> None:
    signer = Signer(source)
    assert signer.region == "us-ashburn-1", signer.region
    assert signer.tenancy_id == TENANCY
    options: dict[str, Any] = {"signer": signer, "service_endpoint": URL}

    storage = oci.object_storage.ObjectStorageClient({}, **options)
    for name, body in [("bytes", CONTENT), ("file", io.BytesIO(CONTENT))]:
        storage.put_object(NAMESPACE, BUCKET, name, body)
        assert storage.get_object(NAMESPACE, BUCKET, name).data.content == CONTENT
    names = [found.name for found in storage.list_objects(NAMESPACE, BUCKET).data.objects]
    assert {"bytes", "file"} <= set(names), names

    identity = oci.identity.IdentityClient({}, **options)
    assert identity.get_tenancy(TENANCY).data.id == TENANCY


def main() -> None:
    for source in (
        ocisign.Signer.default(),
        ocisign.Signer.resource_principal(),
        ocisign.Signer.instance_principal(),
        ocisign.Signer.from_config(path=os.environ["OCI_CONFIG_FILE"]),
    ):
        act(source)
        print("ok:", source.identity().kind)

    # After a 401 it refreshes, which the SDK does for its own signers only.
    source = ocisign.Signer.instance_principal()
    client = oci.identity.IdentityClient({}, signer=Signer(source), service_endpoint=URL)
    refuse_once()
    assert client.list_regions().data
    assert source.status().generation == 2
    print("ok: a 401 is mended")


if __name__ == "__main__":
    main()
