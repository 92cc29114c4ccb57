"""For `urllib`, and so for nothing but Python: `build_opener(OciHandler(signer)).open(url)`."""

from __future__ import annotations

import http.client
from email.message import Message
from typing import Any
from urllib.request import BaseHandler, Request

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

__all__ = ["OciHandler"]


class OciHandler(BaseHandler):
    """Signs what an opener sends.

    A body of bytes or a file is signed; an iterable cannot be. `sign_body=False` leaves bodies
    out of the signature, which OCI accepts for some uploads.

    After a 401 the identity is refreshed once, and the request sent once more where its body can
    be. A redirect is followed without a signature.
    """

    # After the handlers that set what is signed.
    handler_order = 900

    def __init__(self, source: Signer | Credential, *, sign_body: bool = True) -> None:
        self._signer = signer_of(source)
        self._sign_body = sign_body

    def http_request(self, request: Request) -> Request:
        if request.unverifiable:
            return request  # a redirect
        for name in SIGNATURE:
            request.remove_header(name.capitalize())
        request._ocisign_position = position_of(request.data)  # type: ignore[attr-defined]
        request._ocisign_signed = self._sign(request)  # type: ignore[attr-defined]
        return request

    https_request = http_request

    def http_error_401(
        self,
        request: Request,
        response: http.client.HTTPResponse,
        code: int,
        message: str,
        headers: Message,
    ) -> Any:
        signed: Signed | None = getattr(request, "_ocisign_signed", None)
        if signed is None or getattr(request, "_ocisign_again", False):
            return None
        secure = request.type == "https"
        text = response.read(65_536)
        mended = self._signer.on_unauthorized(
            signed, date=headers.get("date"), body=text, tls=secure
        )
        if not mended or not rewind(request.data, request._ocisign_position):  # type: ignore[attr-defined]
            return None
        request._ocisign_again = True  # type: ignore[attr-defined]
        return self.parent.open(request, timeout=request.timeout)

    def _sign(self, request: Request) -> Signed:
        method = request.get_method()
        signed = self._signer.sign(
            method,
            f"{request.type}://{request.host}{request.selector}",
            headers=[(name, str(value)) for name, value in request.header_items()],
            body=self._body(method, request),
        )
        for name, value in signed.headers.items():
            request.add_unredirected_header(name.capitalize(), value)
        return signed

    def _body(self, method: str, request: Request) -> bytes | Digest | Unsigned | None:
        if method not in METHODS_WITH_BODY:
            return None
        if not self._sign_body:
            return UNSIGNED
        data: Any = request.data
        if data is None:
            return b""
        if isinstance(data, bytes):
            return data
        if is_file(data):
            digest = digest_of(data)
            # Without it a file would be sent in chunks.
            request.remove_header("Transfer-encoding")
            return digest
        raise unknown("is an iterable")
