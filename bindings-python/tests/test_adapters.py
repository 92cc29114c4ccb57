"""Requests of each HTTP library, judged by the emulator."""

import asyncio
import io
import urllib.request
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
import requests
from conftest import Emulator

import ocisign
import ocisign.aiohttp
import ocisign.httpx
import ocisign.requests
import ocisign.urllib

CONTENT = bytes(range(256)) * 300
REFUSED_ONCE = {"on": "* /20160918/*", "times": 1, "kind": "status", "status": 401}


class Requests:
    """`requests`, as all of them are used here: gives status and content."""

    def __init__(self, signer: ocisign.Signer, **options: Any) -> None:
        self.session = requests.Session()
        self.session.auth = ocisign.requests.OciAuth(signer, **options)

    def send(self, method: str, url: str, body: Any = None) -> tuple[int, bytes]:
        answer = self.session.request(method, url, data=body)
        return answer.status_code, answer.content


class Httpx:
    def __init__(self, signer: ocisign.Signer, **options: Any) -> None:
        self.client = httpx.Client(auth=ocisign.httpx.OciAuth(signer, **options))

    def send(self, method: str, url: str, body: Any = None) -> tuple[int, bytes]:
        answer = self.client.request(method, url, content=body)
        return answer.status_code, answer.content


class AsyncHttpx:
    def __init__(self, signer: ocisign.Signer, **options: Any) -> None:
        self.auth = ocisign.httpx.OciAuth(signer, **options)

    def send(self, method: str, url: str, body: Any = None) -> tuple[int, bytes]:
        async def act() -> tuple[int, bytes]:
            async with httpx.AsyncClient(auth=self.auth) as client:
                answer = await client.request(method, url, content=body)
                return answer.status_code, answer.content

        return asyncio.run(act())


class Aiohttp:
    def __init__(self, signer: ocisign.Signer, **options: Any) -> None:
        self.auth = ocisign.aiohttp.OciAuth(signer, **options)

    def send(self, method: str, url: str, body: Any = None) -> tuple[int, bytes]:
        async def act() -> tuple[int, bytes]:
            async with (
                aiohttp.ClientSession(middlewares=[self.auth]) as session,
                session.request(method, url, data=body) as answer,
            ):
                return answer.status, await answer.read()

        return asyncio.run(act())


class Urllib:
    def __init__(self, signer: ocisign.Signer, **options: Any) -> None:
        handler = ocisign.urllib.OciHandler(signer, **options)
        self.opener = urllib.request.build_opener(handler)

    def send(self, method: str, url: str, body: Any = None) -> tuple[int, bytes]:
        headers = {"content-type": "application/octet-stream"} if body is not None else {}
        request = urllib.request.Request(url, body, headers, method=method)
        try:
            with self.opener.open(request) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()


ALL = (Requests, Httpx, AsyncHttpx, Aiohttp, Urllib)
each = pytest.mark.parametrize("client", ALL, ids=lambda client: client.__name__)


@each
def test_a_get_is_accepted_and_its_query_too(client: Any, emulator: Emulator) -> None:
    sender = client(emulator.signer())
    assert sender.send("GET", f"{emulator.url}/20160918/regions")[0] == 200
    url = f"{emulator.url}/echo/a%20b?x=1%2F2&y=%C3%BC"
    status, content = sender.send("GET", url)
    assert status == 200, content


@each
@pytest.mark.parametrize("body", [b"", b"{}", CONTENT], ids=len)
def test_bytes_are_sent_as_they_were_signed(client: Any, body: bytes, emulator: Emulator) -> None:
    sender = client(emulator.signer())
    url = f"{emulator.bucket}/x"
    assert sender.send("PUT", url, body)[0] == 200
    assert sender.send("GET", url) == (200, body)
    assert sender.send("DELETE", url)[0] == 204


# httpx itself sends no files asynchronously.
@pytest.mark.parametrize("client", [Requests, Httpx, Aiohttp, Urllib], ids=lambda it: it.__name__)
def test_a_file_is_signed_and_sent_from_where_it_stands(
    client: Any, emulator: Emulator, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    url = f"{emulator.bucket}/file"
    with path.open("rb") as file:
        if client in (Requests, Aiohttp):
            file.seek(100)  # the others say the length of the whole file
        expected = CONTENT[file.tell() :]
        assert client(emulator.signer()).send("PUT", url, file)[0] == 200
    assert client(emulator.signer()).send("GET", url) == (200, expected)


@each
def test_a_stream_that_cannot_be_signed_is_refused_before_anything_is_sent(
    client: Any, emulator: Emulator
) -> None:
    def parts() -> Any:
        yield b"a"

    async def async_parts() -> Any:
        yield b"a"

    body = async_parts() if client in (AsyncHttpx, Aiohttp) else parts()
    before = len(emulator.log())
    with pytest.raises(ocisign.InvalidInputError) as found:
        client(emulator.signer()).send("PUT", f"{emulator.bucket}/stream", body)
    assert found.value.code == "BODY_UNKNOWN"
    assert len(emulator.log()) == before


@each
def test_a_body_may_be_left_out_of_the_signature(client: Any, emulator: Emulator) -> None:
    sender = client(emulator.signer(), sign_body=False)
    url = f"{emulator.bucket}/unsigned"
    assert sender.send("PUT", url, CONTENT)[0] == 200
    assert sender.send("GET", url) == (200, CONTENT)


@each
def test_a_401_is_answered_by_one_refresh_and_one_more_try(client: Any, emulator: Emulator) -> None:
    signer = emulator.signer("instance_principal")
    sender = client(signer)
    emulator.faults(REFUSED_ONCE)
    assert sender.send("GET", f"{emulator.url}/20160918/regions")[0] == 200
    assert signer.status().generation == 2
    emulator.faults(REFUSED_ONCE | {"times": 10})
    # A second refresh so soon does not help, and is not made.
    assert sender.send("GET", f"{emulator.url}/20160918/regions")[0] == 401
    assert signer.status().generation == 2


@each
def test_a_body_is_sent_again_after_a_401(client: Any, emulator: Emulator) -> None:
    sender = client(emulator.signer("instance_principal"))
    emulator.faults(REFUSED_ONCE | {"on": "PUT *"})
    url = f"{emulator.bucket}/again"
    body: Any = CONTENT
    if client in (Requests, Urllib):
        body = io.BytesIO(CONTENT)
    status, content = sender.send("PUT", url, body)
    assert status == 200, content
    assert sender.send("GET", url) == (200, CONTENT)


@pytest.mark.parametrize("client", [Requests, Urllib], ids=lambda client: client.__name__)
def test_a_redirect_is_followed_without_a_signature(client: Any, emulator: Emulator) -> None:
    location = f"{emulator.url}/20160918/vcns"
    emulator.faults({"on": "GET /20160918/regions", "kind": "redirect", "location": location})
    status, _ = client(emulator.signer()).send("GET", f"{emulator.url}/20160918/regions")
    assert status == 401
    assert "there is no authorization" in emulator.log()[-1]["reason"]


@each
def test_what_signs_has_to_be_a_signer_or_a_credential(client: Any) -> None:
    with pytest.raises(TypeError, match="source: expected a Signer or Credential, not str"):
        client("signer")
