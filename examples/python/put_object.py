"""Puts a file of any size into a bucket, in constant memory: put_object.py NAMESPACE BUCKET FILE"""

import os
import sys
from pathlib import Path
from urllib.parse import quote

import requests

from ocisign import Region, Signer
from ocisign.requests import OciAuth

namespace, bucket, path = sys.argv[1:]
signer = Signer.default()
endpoint = os.environ.get("ENDPOINT") or Region(signer.identity().region).endpoint("objectstorage")
url = f"{endpoint}/n/{namespace}/b/{bucket}/o/{quote(Path(path).name)}"

# Object Storage takes a body outside of the signature; otherwise the file would be read twice.
with open(path, "rb") as file:
    answer = requests.put(url, data=file, auth=OciAuth(signer, sign_body=False))
answer.raise_for_status()
print("put", url)
