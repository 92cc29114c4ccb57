"""Lists the VCNs of a compartment, with `requests`: list_vcns.py COMPARTMENT"""

import os
import sys

import requests

from ocisign import Region, Signer
from ocisign.requests import OciAuth

signer = Signer.default()
endpoint = os.environ.get("ENDPOINT") or Region(signer.identity().region).endpoint("iaas")

with requests.Session() as session:
    session.auth = OciAuth(signer)
    page = ""
    while page is not None:
        answer = session.get(
            f"{endpoint}/20160918/vcns", params={"compartmentId": sys.argv[1], "page": page or None}
        )
        answer.raise_for_status()
        for vcn in answer.json():
            print(vcn["id"], vcn["displayName"])
        page = answer.headers.get("opc-next-page")
