"""Requests of the library `requests`, and of the copy of it within Oracle's SDK."""

from __future__ import annotations

from typing import Any, Protocol

from ocisign._adapter import (
    METHODS_WITH_BODY,
    SIGNATURE,
    digest_of,
    is_file,
    position_of,
    rewind,
    signer_of,
    unknown,
)
from ocisign._ocisign import Credential, Digest, Signed, Signer
from ocisign._types import UNSIGNED, Unsigned


class PreparedRequest(Protocol):
    """What `requests` gives to whoever authenticates."""

    method: str
    url: str
    headers: Any
    body: Any

    def copy(self) -> Any: ...
    def register_hook(self, event: str, hook: Any) -> None: ...


class Prepared:
    """Signs prepared requests, and answers what comes of them."""

    def __init__(self, source: Signer | Credential) -> None:
        self.signer = signer_of(source)

    def start(self, request: PreparedRequest, sign_body: bool) -> PreparedRequest:
        """Sign a request, and see to its answer."""
        position = position_of(request.body)
        signed = self.sign(request, sign_body)
        url = request.url

        def respond(response: Any, **options: Any) -> Any:
            if response.request.url != url:
                return response  # behind a redirect, for which nobody signed
            if response.is_redirect:
                # What follows is another request: a signature of this one is none for it.
                for name in SIGNATURE:
                    response.request.headers.pop(name, None)
                return response
            if response.status_code != 401 or not self._was_mended(response, signed):
                return response
            again = response.request.copy()
            if not rewind(again.body, position):
                return response
            response.close()
            for name in SIGNATURE:
                again.headers.pop(name, None)
            self.sign(again, sign_body)
            second = response.connection.send(again, **options)
            second.history.append(response)
            second.request = again
            return second

        request.register_hook("response", respond)
        return request

    def sign(self, request: PreparedRequest, sign_body: bool) -> Signed:
        body = _content(request, sign_body)
        headers = [(_text(name), _text(value)) for name, value in request.headers.items()]
        signed = self.signer.sign(request.method, request.url, headers=headers, body=body)
        request.headers.update(signed.headers)
        return signed

    def _was_mended(self, response: Any, signed: Signed) -> bool:
        return self.signer.on_unauthorized(
            signed,
            date=response.headers.get("date"),
            body=response.content,
            tls=response.request.url.startswith("https://") and bool(response.raw),
        )


def _content(request: PreparedRequest, sign_body: bool) -> bytes | Digest | Unsigned | None:
    """What is signed of the body; text becomes the bytes that will be sent."""
    body = request.body
    if request.method.upper() not in METHODS_WITH_BODY:
        return None
    if isinstance(body, str):
        body = request.body = body.encode()
        request.headers["content-length"] = str(len(body))
    if not sign_body:
        return UNSIGNED
    if body is None:
        return b""
    if isinstance(body, bytes | bytearray):
        return bytes(body)
    if is_file(body):
        digest = digest_of(body)
        request.headers.setdefault("content-type", "application/octet-stream")
        return digest
    raise unknown("is a stream")


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
