"""For `requests`: `requests.get(url, auth=OciAuth(signer))`."""

from __future__ import annotations

from requests import PreparedRequest
from requests.auth import AuthBase

from ocisign._ocisign import Credential, Signer
from ocisign._prepared import Prepared

__all__ = ["OciAuth"]


class OciAuth(AuthBase):
    """Signs what `requests` sends.

    A body of bytes, text or JSON is signed, and a file too: it is read twice. A generator cannot
    be; `sign_body=False` leaves bodies out of the signature, which OCI accepts for some uploads.

    After a 401 the identity is refreshed once, and the request sent once more where its body can
    be. A redirect is followed without a signature.
    """

    def __init__(self, source: Signer | Credential, *, sign_body: bool = True) -> None:
        self._prepared = Prepared(source)
        self._sign_body = sign_body

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        self._prepared.start(r, self._sign_body)  # type: ignore[arg-type]
        return r
