"""Reads a secret, with nothing but Python: read_secret.py SECRET"""

import base64
import json
import os
import sys
from urllib.request import build_opener

from ocisign import Region, Signer
from ocisign.urllib import OciHandler

signer = Signer.default()
endpoint = os.environ.get("ENDPOINT") or Region(signer.identity().region).endpoint("secrets")

with build_opener(OciHandler(signer)).open(
    f"{endpoint}/20190301/secretbundles/{sys.argv[1]}"
) as answer:
    bundle = json.load(answer)
sys.stdout.buffer.write(base64.b64decode(bundle["secretBundleContent"]["content"]))
