"""A function of OCI Functions that reads its own tenancy: Oracle's sample for a custom resource
principal provider, without an SDK. Its image needs `fdk`, `ocisign` and `requests`.

`IDENTITY_ENDPOINT` is for tests; without it the region's is asked.
"""

import os

import requests
from fdk import response

from ocisign import Region, Signer
from ocisign.requests import OciAuth

# Once for all calls: it keeps itself fresh.
SIGNER = Signer.resource_principal()


def handler(ctx, data=None):
    identity = SIGNER.identity()
    endpoint = os.environ.get("IDENTITY_ENDPOINT") or Region(identity.region).endpoint("identity")
    url = f"{endpoint}/20160918/tenancies/{identity.tenancy}"
    answer = requests.get(url, auth=OciAuth(SIGNER), timeout=10)
    headers = {"content-type": "application/json"}
    return response.Response(
        ctx, response_data=answer.text, headers=headers, status_code=answer.status_code
    )
