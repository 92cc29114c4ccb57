"""For `aiohttp`: `aiohttp.ClientSession(middlewares=[OciAuth(signer)])`."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import ClientHandlerType, ClientRequest, ClientResponse
from aiohttp.payload import AsyncIterablePayload, IOBasePayload, Payload

from ocisign._adapter import METHODS_WITH_BODY, SIGNATURE, digest_of, signer_of, unknown
from ocisign._ocisign import Credential, Digest, Signed, Signer
from ocisign._types import UNSIGNED, Unsigned

__all__ = ["OciAuth"]


class OciAuth:
    """Signs what a session of `aiohttp` sends.

    Bytes, text, JSON and forms are signed, and files too: they are read twice. A generator cannot
    be; `sign_body=False` leaves bodies out of the signature, which OCI accepts for some uploads.

    After a 401 the identity is refreshed once, and the request sent once more where its body can
    be. `aiohttp` calls this for each redirect anew, so that each is signed for the host it goes to.
    """

    def __init__(self, source: Signer | Credential, *, sign_body: bool = True) -> None:
        self._signer = signer_of(source)
        self._sign_body = sign_body

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        signed = await self._sign(request)
        response = await handler(request)
        if response.status != 401 or not _is_replayable(request.body):
            return response
        text = await response.read()
        mended = await asyncio.to_thread(
            self._signer.on_unauthorized,
            signed,
            date=response.headers.get("date"),
            body=text,
            tls=request.url.scheme == "https",
        )
        if not mended:
            return response
        response.release()
        for name in SIGNATURE:
            request.headers.popall(name, None)
        await self._sign(request)
        return await handler(request)

    async def _sign(self, request: ClientRequest) -> Signed:
        body = await self._body(request)
        headers = list(request.headers.items())
        # As it goes on the wire.
        url = f"{request.url.scheme}://{request.headers['host']}{request.url.raw_path_qs}"
        while True:
            signed = self._signer.try_sign(request.method, url, headers=headers, body=body)
            if signed is not None:
                request.headers.update(signed.headers)
                return signed
            await asyncio.to_thread(self._signer.warm)

    async def _body(self, request: ClientRequest) -> bytes | Digest | Unsigned | None:
        if request.method not in METHODS_WITH_BODY:
            return None
        if not self._sign_body:
            return UNSIGNED
        body = request.body
        if isinstance(body, IOBasePayload):
            # The public ways to it read it into memory.
            file: Any = body._value  # pyright: ignore[reportPrivateUsage]
            return await asyncio.to_thread(digest_of, file)
        if isinstance(body, bytes):
            return body
        if isinstance(body, AsyncIterablePayload):
            raise unknown("is a stream")
        return await body.as_bytes()


def _is_replayable(body: bytes | Payload) -> bool:
    return isinstance(body, bytes) or not (body.consumed or isinstance(body, AsyncIterablePayload))
