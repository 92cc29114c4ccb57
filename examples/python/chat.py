"""A client of a service that speaks another provider's protocol: chat.py BASE_URL MODEL

Any library that takes an `httpx.Client` and a base URL signs by it.
"""

import sys

import httpx

from ocisign import Signer
from ocisign.httpx import OciAuth

base_url, model = sys.argv[1:]
# openai.OpenAI(base_url=base_url, api_key="unused", http_client=client) works with the same client.
with httpx.Client(base_url=base_url, auth=OciAuth(Signer.default()), timeout=60) as client:
    messages = [{"role": "user", "content": "Say hello."}]
    answer = client.post("/chat/completions", json={"model": model, "messages": messages})
    answer.raise_for_status()
    print(answer.text)
