"""For Oracle's own SDK: `oci.object_storage.ObjectStorageClient({}, signer=Signer.default())`."""

# The SDK has no types, and need not be there where this is checked.
# pyright: basic
from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from oci.auth.signers import SecurityTokenSigner  # type: ignore

from ocisign._ocisign import Credential
from ocisign._ocisign import Signer as Source
from ocisign._prepared import Prepared

__all__ = ["Signer"]


class Signer(SecurityTokenSigner):  # type: ignore
    """Signs for the SDK's clients, in place of its own signers.

    It is one of the SDK's own by name alone: its clients want no configuration of those.

    It refreshes by itself, and after a 401, as the SDK does for its own signers alone.
    """

    def __init__(self, source: Source | Credential) -> None:
        self._prepared = Prepared(source)

    def __call__(self, request: Any, enforce_content_headers: bool = True) -> Any:
        if not enforce_content_headers:
            # `requests` makes a stream of no length chunked, which Object Storage refuses.
            request.headers.pop("transfer-encoding", None)
        return self._prepared.start(request, enforce_content_headers)

    @property
    def without_content_headers(self) -> Callable[[Any], Any]:
        """The same, with bodies left out of the signature."""
        return partial(self, enforce_content_headers=False)

    @property
    def signer(self) -> Source:
        """What signs."""
        return self._prepared.signer

    @property
    def region(self) -> str | None:
        """The region, where the identity has one."""
        return self.signer.identity().region

    @property
    def tenancy_id(self) -> str | None:
        """The tenancy."""
        return self.signer.identity().tenancy

    @property
    def compartment_id(self) -> str | None:
        """The compartment, where the token names it."""
        return self.signer.identity().compartment

    def refresh_security_token(self) -> None:
        """Fetch a new credential now."""
        self.signer.refresh()
