"""For `httpx`: `httpx.Client(auth=OciAuth(signer))`, and `httpx.AsyncClient` alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator

import httpx

from ocisign._adapter import METHODS_WITH_BODY, SIGNATURE, signer_of, unknown
from ocisign._errors import error_of
from ocisign._ocisign import Credential, Digest, Signed, Signer
from ocisign._types import UNSIGNED, Unsigned

__all__ = ["OciAuth"]


class OciAuth(httpx.Auth):
    """Signs what a client of `httpx` sends, synchronous or not.

    Bytes, text, JSON and forms are signed. Files and multipart are read first, up to
    `body_limit` bytes. A stream that says no length cannot be signed; `sign_body=False` leaves
    bodies out of the signature, which OCI accepts for some uploads, and reads nothing.

    After a 401 the identity is refreshed once, and the request sent once more where its body can
    be. Leave `follow_redirects` off, as it is by default: `httpx` would send the signature of one
    path along to another.
    """

    def __init__(
        self,
        source: Signer | Credential,
        *,
        sign_body: bool = True,
        body_limit: int = 16 * 1024 * 1024,
    ) -> None:
        self._signer = signer_of(source)
        self._sign_body = sign_body
        self._body_limit = body_limit

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        if self._has_to_read(request):
            request.read()
        signed = self._sign(request)
        response = yield request
        if response.status_code == 401 and _is_replayable(request):
            response.read()
            if self._was_mended(response, signed):
                _forget(request)
                self._sign(request)
                yield request

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        if self._has_to_read(request):
            await request.aread()
        signed = await self._sign_async(request)
        response = yield request
        if response.status_code == 401 and _is_replayable(request):
            await response.aread()
            if await asyncio.to_thread(self._was_mended, response, signed):
                _forget(request)
                await self._sign_async(request)
                yield request

    def _sign(self, request: httpx.Request) -> Signed:
        signed = self._signer.sign(
            *_target(request), headers=_headers(request), body=self._body(request)
        )
        request.headers.update(signed.headers)
        return signed

    async def _sign_async(self, request: httpx.Request) -> Signed:
        body = self._body(request)
        while True:
            signed = self._signer.try_sign(*_target(request), headers=_headers(request), body=body)
            if signed is not None:
                request.headers.update(signed.headers)
                return signed
            await asyncio.to_thread(self._signer.warm)

    def _was_mended(self, response: httpx.Response, signed: Signed) -> bool:
        return self._signer.on_unauthorized(
            signed,
            date=response.headers.get("date"),
            body=response.content,
            tls=response.request.url.scheme == "https",
        )

    def _has_to_read(self, request: httpx.Request) -> bool:
        """Whether the body is signed and not yet in memory, where it may be."""
        if not self._sign_body or request.method not in METHODS_WITH_BODY or _is_read(request):
            return False
        length = request.headers.get("content-length")
        if length is None or not length.isdigit():
            raise unknown("is a stream that says no length")
        if int(length) > self._body_limit:
            raise error_of(
                "BODY_TOO_LARGE",
                f"the body has {length} bytes, and up to {self._body_limit} are read for the "
                "signature: raise body_limit, or leave it out of the signature with "
                "sign_body=False, where OCI accepts that",
            )
        return True

    def _body(self, request: httpx.Request) -> bytes | Digest | Unsigned | None:
        if request.method not in METHODS_WITH_BODY:
            return None
        return request.content if self._sign_body else UNSIGNED


def _target(request: httpx.Request) -> tuple[str, str]:
    url = request.url
    # As it goes on the wire: what `str` gives may differ.
    target = url.raw_path.decode("ascii")
    host = request.headers.get("host", url.netloc.decode("ascii"))
    return request.method, f"{url.scheme}://{host}{target}"


def _headers(request: httpx.Request) -> list[tuple[str, str]]:
    return [(name.decode("ascii"), value.decode("latin-1")) for name, value in request.headers.raw]


def _is_read(request: httpx.Request) -> bool:
    return hasattr(request, "_content")


def _is_replayable(request: httpx.Request) -> bool:
    return _is_read(request)


def _forget(request: httpx.Request) -> None:
    for name in SIGNATURE:
        request.headers.pop(name, None)
