from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from typing import Final, Literal, TypeAlias, final

from ocisign._errors import OciSignError
from ocisign._types import Unsigned

__version__: Final[str]

_Headers: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]
_Body: TypeAlias = bytes | bytearray | memoryview | Digest | Unsigned | None
_Date: TypeAlias = Literal["date", "x-date"]
_Path: TypeAlias = str | PathLike[str]

def command(arguments: list[str]) -> int:
    """The command line: `python -m ocisign`."""

@final
class Digest:
    """A body that was hashed elsewhere, such as a stream: its SHA-256 and its length in bytes."""

    def __new__(cls, sha256: bytes, length: int) -> Digest: ...

@final
class Credential:
    """A private key, and the name by which the server knows it.

    `private_key` is PEM, PKCS#1 or PKCS#8, under a passphrase or not. A `key_id` that starts with
    `ST$` is a security token: that it belongs to the key is checked. `expires` is in seconds since
    1970. Keys are wiped when the credential goes.
    """

    def __new__(
        cls,
        key_id: str,
        private_key: str,
        *,
        passphrase: str | bytes | None = None,
        expires: int | None = None,
        delegation_token: str | None = None,
        danger_allow_weak_key: bool = False,
    ) -> Credential: ...
    @staticmethod
    def api_key(
        tenancy: str,
        user: str,
        fingerprint: str,
        private_key: str,
        *,
        passphrase: str | bytes | None = None,
        danger_allow_weak_key: bool = False,
    ) -> Credential:
        """A user's API key. That the fingerprint is the key's is checked."""

    @staticmethod
    def security_token(
        token: str, private_key: str, *, passphrase: str | bytes | None = None
    ) -> Credential:
        """A session or resource principal token (UPST, RPST), and the key that it names."""

    @staticmethod
    def from_profile(name: str | None = None, *, path: _Path | None = None) -> Credential:
        """What a profile of `~/.oci/config` gives, by the rules of Oracle's SDKs."""

    @property
    def key_id(self) -> str:
        """The key id. That of a token is the token: a secret."""

    @property
    def expires(self) -> int | None:
        """Seconds since 1970, where it expires."""

    @property
    def binding_checked(self) -> bool:
        """Whether a token or fingerprint named the key, so that it is known to be theirs."""

    @property
    def fingerprint(self) -> str:
        """Of the public key, as OCI shows it."""

    @property
    def tenancy(self) -> str | None:
        """The tenancy's OCID, where key id or token name it."""

def sign(
    method: str,
    url: str,
    credential: Credential,
    *,
    headers: _Headers | None = None,
    body: _Body = None,
    now: float | None = None,
    date_header: _Date = "date",
) -> dict[str, str]:
    """The headers to set so that the server will accept the request.

    Each replaces any header of the same name; nothing else may change. `url` is absolute and
    already percent-encoded. `now` is in seconds since 1970; left out, it is the machine's time.
    """

@final
class Prepared:
    """A request that waits for its signature."""

    @property
    def signing_string(self) -> str:
        """What is signed, by RSASSA-PKCS1-v1_5 with SHA-256."""

    def finish(self, signature: bytes) -> dict[str, str]:
        """The headers to set."""

def prepare(
    method: str,
    url: str,
    key_id: str,
    *,
    headers: _Headers | None = None,
    body: _Body = None,
    now: float | None = None,
    date_header: _Date = "date",
) -> Prepared:
    """As much of `sign` as needs no key: for keys in an HSM or a key management service."""

@final
class Signed:
    """The headers to set on a request, and which generation of the credential signed."""

    @property
    def headers(self) -> dict[str, str]:
        """The headers to set: each replaces any of the same name."""

    @property
    def generation(self) -> int:
        """Which generation signed, counted from 1."""

@final
class Identity:
    """Who signs, where that was found, and why it was picked."""

    @property
    def kind(self) -> str:
        """Such as `resource_principal`."""

    @property
    def origin(self) -> str:
        """Where it was found, in words."""

    @property
    def passed_over(self) -> list[tuple[str, str]]:
        """What was looked at first, and why it is not that."""

    @property
    def credential(self) -> Credential:
        """What signs at this moment."""

    @property
    def region(self) -> str | None:
        """The region, where it is known."""

    @property
    def tenancy(self) -> str | None:
        """The tenancy's OCID, where it is known."""

    @property
    def compartment(self) -> str | None:
        """The compartment's OCID, where the token names it."""

@final
class Status:
    """How a signer stands."""

    @property
    def clock_offset(self) -> int:
        """By how many seconds dates are corrected, after what servers said."""

    @property
    def failures(self) -> int:
        """How many refreshes failed since the last one that did not."""

    @property
    def generation(self) -> int:
        """Which generation signs, counted from 1; 0 before the first."""

    @property
    def last_error(self) -> str | None:
        """Why the last refresh failed, if it did."""

    @property
    def remaining(self) -> float | None:
        """For how many seconds the credential lives, where it says so."""

    @property
    def valid(self) -> bool:
        """Whether there is a credential that may sign."""

_OnRefresh: TypeAlias = Callable[[int | None, OciSignError | None], object]

@final
class Signer:
    """Signs with an identity that stays fresh.

    Nothing is opened before the first signature. From then on `sign` waits for nobody while there
    is a valid credential: a refresh runs beside it. It may be shared by threads and tasks, and
    used on both sides of a `fork`.

    `environment` stands in for the process's variables. `on_refresh(generation, error)` is called
    after each refresh, on the thread that made it.
    """

    @staticmethod
    def default(
        *, environment: Mapping[str, str] | None = None, on_refresh: _OnRefresh | None = None
    ) -> Signer:
        """The most specific identity that is there: a resource principal, a pod, variables, a
        profile, an instance."""

    @staticmethod
    def from_env(
        *, environment: Mapping[str, str] | None = None, on_refresh: _OnRefresh | None = None
    ) -> Signer:
        """The same, by variables alone."""

    @staticmethod
    def from_config(
        profile: str | None = None,
        *,
        path: _Path | None = None,
        environment: Mapping[str, str] | None = None,
        on_refresh: _OnRefresh | None = None,
    ) -> Signer:
        """A profile of the configuration file, also one with a session token, which is kept
        alive."""

    @staticmethod
    def session_token(
        profile: str | None = None,
        *,
        path: _Path | None = None,
        environment: Mapping[str, str] | None = None,
        on_refresh: _OnRefresh | None = None,
    ) -> Signer:
        """The same, by the name under which Oracle's tools have it."""

    @staticmethod
    def resource_principal(
        *, environment: Mapping[str, str] | None = None, on_refresh: _OnRefresh | None = None
    ) -> Signer:
        """The resource as which the program runs, such as a function."""

    @staticmethod
    def instance_principal(
        *,
        delegation_token_file: str | None = None,
        environment: Mapping[str, str] | None = None,
        on_refresh: _OnRefresh | None = None,
    ) -> Signer:
        """The compute instance on which the program runs."""

    @staticmethod
    def oke_workload_identity(
        *,
        token_file: _Path | None = None,
        environment: Mapping[str, str] | None = None,
        on_refresh: _OnRefresh | None = None,
    ) -> Signer:
        """The workload of a Kubernetes cluster of OCI."""

    @staticmethod
    def from_credential(credential: Credential) -> Signer:
        """This credential, until it expires."""

    @staticmethod
    def from_callable(
        source: Callable[[], Credential], *, on_refresh: _OnRefresh | None = None
    ) -> Signer:
        """What a function gives, asked anew whenever a refresh is due, on a thread of its own."""

    def sign(
        self,
        method: str,
        url: str,
        *,
        headers: _Headers | None = None,
        body: _Body = None,
        date_header: _Date = "date",
    ) -> Signed:
        """The headers to set. It blocks only where there is no valid credential."""

    def try_sign(
        self,
        method: str,
        url: str,
        *,
        headers: _Headers | None = None,
        body: _Body = None,
        date_header: _Date = "date",
    ) -> Signed | None:
        """The same for event loops: `None`, and a refresh on its way, where it would block."""

    def warm(self) -> None:
        """Fetch the first credential now, or see that there is a valid one."""

    def refresh(self) -> None:
        """Fetch a credential now, though none may be due."""

    def on_unauthorized(
        self,
        signed: Signed,
        *,
        date: str | None = None,
        body: bytes | None = None,
        tls: bool = False,
    ) -> bool:
        """After a 401: whether to sign again, and send once more. It refreshes, once for all."""

    def on_not_found(self, signed: Signed) -> bool:
        """After a 404 `NotAuthorizedOrNotFound`: the same, where the credential is old."""

    def identity(self) -> Identity:
        """Who signs. It warms the signer."""

    def status(self) -> Status:
        """How it stands. It opens nothing."""

@final
class Region:
    """A region by its name or three-letter code, and where its services are.

    What is not in the table is looked up in `regions_config` (the text of
    `~/.oci/regions-config.json`) and `region_metadata` (that of `OCI_REGION_METADATA`).
    """

    def __new__(
        cls,
        name: str,
        *,
        regions_config: str | None = None,
        region_metadata: str | None = None,
        default_domain: str | None = None,
    ) -> Region: ...
    @property
    def id(self) -> str:
        """Such as `us-phoenix-1`."""

    @property
    def realm(self) -> str | None:
        """Such as `oc1`, where it is known."""

    def endpoint(self, service: str) -> str:
        """Where a service is: `auth`, `identity`, `objectstorage`, `secrets`, …"""

def read_profile(text: str, name: str = "DEFAULT") -> dict[str, str]:
    """A profile of the text of a configuration file, by the rules of Oracle's SDKs."""

@final
class Send:
    """A request to send as it is: nothing added, no redirect followed."""

    @property
    def method(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def headers(self) -> dict[str, str]: ...
    @property
    def body(self) -> bytes: ...
    @property
    def time_limit(self) -> float:
        """Seconds for the whole answer."""

    @property
    def endpoint(self) -> Literal["metadata", "service", "workload"]:
        """Whom it goes to: never through a proxy but for `service`."""

@final
class Wait:
    """Nothing to do before this time, in seconds since 1970."""

    @property
    def until(self) -> int: ...

@final
class Ready:
    """The exchange has ended well."""

    @property
    def credential(self) -> Credential: ...

@final
class Exchange:
    """Trades an identity for a short-lived credential, without any I/O.

    `next_step` reads, and asking twice changes nothing; `receive` and `lost` change.
    """

    @staticmethod
    def instance_principal(*, environment: Mapping[str, str] | None = None) -> Exchange: ...
    @staticmethod
    def resource_principal(*, environment: Mapping[str, str] | None = None) -> Exchange:
        """The files that variables name are read here."""

    @staticmethod
    def oke_workload_identity(
        service_account_token: str, *, environment: Mapping[str, str] | None = None
    ) -> Exchange: ...
    def next_step(self, now: float | None = None) -> Send | Wait | Ready: ...
    def receive(
        self, status: int, headers: _Headers, body: bytes, now: float | None = None
    ) -> None:
        """The answer to the request of the last step."""

    def lost(
        self,
        fault: Literal[
            "connection", "dns", "other", "protocol", "timeout", "tls", "too-large"
        ] = "other",
        now: float | None = None,
    ) -> None:
        """There is no answer to the request of the last step."""

    @property
    def region(self) -> str | None:
        """The region, once it is known."""

    @property
    def retry_after(self) -> int | None:
        """For how many seconds the server that refused asked to be left alone."""

@final
class PublicKey:
    """A public key that verifies, in PEM."""

    def __new__(cls, pem: str, *, danger_allow_weak_key: bool = False) -> PublicKey: ...
    @property
    def fingerprint(self) -> str: ...

@final
class Examined:
    """A request of which all but the signature is checked: nothing in it is proven yet."""

    @property
    def key_id(self) -> str: ...
    @property
    def signing_string(self) -> str: ...
    def verify(self, public_key: PublicKey) -> None:
        """Check the signature, too."""

def examine(
    method: str,
    url: str,
    *,
    headers: _Headers,
    body: _Body = None,
    expected_host: str | None = None,
    window: int = 300,
    now: float | None = None,
) -> Examined:
    """Check all of a received request but the signature: to learn the key id first."""

def verify(
    method: str,
    url: str,
    public_key: PublicKey,
    *,
    headers: _Headers,
    body: _Body = None,
    expected_host: str | None = None,
    window: int = 300,
    now: float | None = None,
) -> None:
    """Check a received request in full. Always say `expected_host`: nothing else in a signature
    names the receiver."""
