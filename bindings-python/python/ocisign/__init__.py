"""Signs requests to Oracle Cloud Infrastructure (OCI) with the identity that the platform gives.

>>> import ocisign
>>> signer = ocisign.Signer.default()  # a function, an instance, a pod, or ~/.oci/config
>>> signed = signer.sign("GET", "https://iaas.us-phoenix-1.oraclecloud.com/20160918/vcns")
... # doctest: +SKIP

For `requests`, `httpx`, `aiohttp`, `urllib` and Oracle's own SDK there are modules of these names
in this package. They are imported only by whoever uses them.
"""

from ocisign._errors import (
    CredentialError,
    FileError,
    InvalidInputError,
    OciSignError,
    UnreachableError,
    UnreachableInTimeError,
    VerifyError,
)
from ocisign._ocisign import (
    Credential,
    Digest,
    Examined,
    Exchange,
    Identity,
    Prepared,
    PublicKey,
    Ready,
    Region,
    Send,
    Signed,
    Signer,
    Status,
    Wait,
    __version__,
    examine,
    prepare,
    read_profile,
    sign,
    verify,
)
from ocisign._types import UNSIGNED, Unsigned

__all__ = [
    "UNSIGNED",
    "Credential",
    "CredentialError",
    "Digest",
    "Examined",
    "Exchange",
    "FileError",
    "Identity",
    "InvalidInputError",
    "OciSignError",
    "Prepared",
    "PublicKey",
    "Ready",
    "Region",
    "Send",
    "Signed",
    "Signer",
    "Status",
    "UnreachableError",
    "UnreachableInTimeError",
    "Unsigned",
    "VerifyError",
    "Wait",
    "__version__",
    "examine",
    "prepare",
    "read_profile",
    "sign",
    "verify",
]
