"""A host for the components of ocisign, in wasmtime-py: what a Python program has to write."""

import os
import ssl
from base64 import b64encode
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from socket import gaierror
from time import sleep, time
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from wasmtime import Engine, Store
from wasmtime.component import Component, Linker, Record, Variant

COMPONENTS = Path(__file__).resolve().parents[3] / "target" / "component"
PACKAGE, VERSION = "ocisign:signing", "0.1.0"


class OcisignError(Exception):
    """What the component refused, by its stable code."""

    def __init__(self, error):
        super().__init__(error.message)
        self.code = error.code.upper().replace("-", "_")
        self.reason = error.reason


class Instance:
    """An instance of a component. It is one thread's at a time."""

    def __init__(self, component, credentials=None):
        linker = Linker(component.engine)
        if credentials is not None:
            with linker.root() as root, root.add_instance(f"{PACKAGE}/credentials@{VERSION}") as interface:
                # The first argument of a host function is the store.
                interface.add_func("current", lambda _store: credentials.current())
                interface.add_func("sign", lambda _store, key_id, text: credentials.sign(key_id, text))
        self.store = Store(component.engine)
        self._instance = linker.instantiate(self.store, component.component)
        self._functions = {}

    def call(self, name, *arguments):
        """Call `interface.function`; what it refuses is raised."""
        result = self._function(name)(self.store, *arguments)
        # A result arrives without its tag where Python can tell its two cases apart by class.
        if isinstance(result, Variant) and result.tag in ("ok", "err"):
            result = result.payload
        if isinstance(result, Record) and hasattr(result, "code"):
            raise OcisignError(result)
        return result

    def sign(self, request, now):
        """The headers to set, signed with what `credentials` gives."""
        return headers(self.call("signer.sign", request, now))

    def sign_outside(self, request, key_id, delegation_token, now, sign):
        """The headers to set, in two halves: `sign` makes a signature of a text."""
        prepared = self.call("halves.prepare", request, key_id, delegation_token, now)
        return headers(self.call("halves.finish", prepared, sign(getattr(prepared, "signing-string"))))

    def run(self, exchange, send):
        """What an exchange gives at its end; `send` takes a request and gives an answer or a fault."""
        while True:
            step = self.call("exchanges.[method]exchange.next-step", exchange, int(time()))
            if step.tag == "ready":
                return step.payload
            if step.tag == "wait":
                sleep(max(0, step.payload - time()))
            else:
                answer = send(step.payload)
                self.call("exchanges.[method]exchange.receive", exchange, answer, int(time()))

    def _function(self, name):
        if name not in self._functions:
            interface, function = name.split(".", 1)
            outer = self._instance.get_export_index(self.store, f"{PACKAGE}/{interface}@{VERSION}")
            index = self._instance.get_export_index(self.store, function, outer)
            self._functions[name] = self._instance.get_func(self.store, index)
        return self._functions[name]


class CompiledComponent:
    """A component, compiled once for any number of instances."""

    def __init__(self, file):
        self.engine = Engine()
        self.component = Component.from_file(self.engine, str(COMPONENTS / file))


class KeyForTheGuest:
    """Credentials that are a private key, which goes into the component."""

    def __init__(self, key_id, private_key, **more):
        self.source = Variant("key", key_material(key_id, private_key, **more))
        self.asked = 0

    def current(self):
        self.asked += 1
        return Variant("ok", self.source)

    def sign(self, _key_id, _signing_string):
        raise AssertionError("asked to sign, with the key in the guest")


class KeyOfTheHost:
    """Credentials whose key stays here: the component learns its name and its signatures."""

    def __init__(self, key_id, private_key, delegation_token=None, expires=None):
        host_key = {"key_id": key_id, "delegation_token": delegation_token, "expires": expires}
        self.source = Variant("host", record(**host_key))
        self.private_key = private_key
        self.asked = 0
        self.signed = []

    def current(self):
        self.asked += 1
        return Variant("ok", self.source)

    def sign(self, key_id, signing_string):
        self.signed.append((key_id, signing_string))
        return rsa_sign(self.private_key, signing_string)


def rsa_sign(private_key, text):
    """RSASSA-PKCS1-v1_5 with SHA-256, in base64, by `cryptography`."""
    return b64encode(private_key.sign(text.encode(), PKCS1v15(), SHA256())).decode()


def rsa_verifies(public_key, signature, text):
    """Whether this is a signature by that key over this text, by `cryptography`."""
    try:
        public_key.verify(signature, text.encode(), PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def record(**fields):
    """A record. Its fields have the names of the WIT file, hyphens and all."""
    made = Record()
    for name, value in fields.items():
        setattr(made, name.replace("_", "-"), value)
    return made


def request(method, url, headers=(), body=Variant("empty"), date_header="date"):
    """A request, as the interface has it."""
    headers = [record(name=name, value=value) for name, value in headers]
    return record(method=method, url=url, headers=headers, body=body, date_header=date_header)


def key_material(key_id, private_key, danger_allow_weak_key=False, **more):
    """A key for the guest; every field has to be there."""
    fields = ("passphrase", "delegation_token", "expires", "blinding_seed")
    return record(
        key_id=key_id,
        private_key=private_key,
        danger_allow_weak_key=danger_allow_weak_key,
        **{field: more.get(field) for field in fields},
    )


def environment(variables, paths=()):
    """Where the program runs, with the files that `paths-in` named, but for those that cannot be read."""
    files = []
    for path in paths:
        try:
            files.append((path, Path(path).read_text()))
        except OSError:
            pass
    known = [pair for pair in variables.items() if pair[0].startswith(("OCI_", "KUBERNETES_"))]
    return record(variables=known, files=files, regions_config=None)


def entropy():
    """Randomness for one exchange."""
    return b64encode(os.urandom(32)).decode()


def send(request, authority=None):
    """Send a request of an exchange as it is; without an answer, say why. No proxy, no redirect."""
    url, limit = urlsplit(request.url), getattr(request, "size-limit")
    if url.scheme == "https":
        trust = ssl.create_default_context(cafile=authority)
        connection = HTTPSConnection(url.netloc, timeout=getattr(request, "time-limit"), context=trust)
    else:
        connection = HTTPConnection(url.netloc, timeout=getattr(request, "time-limit"))
    try:
        target = request.url.removeprefix(f"{url.scheme}://{url.netloc}")
        body = request.body.encode() if request.body is not None else None
        connection.request(request.method, target, body, dict(headers(request.headers)))
        response = connection.getresponse()
        body = response.read(limit + 1)
    except TimeoutError:
        return "timeout"
    except ssl.SSLError:
        return "tls"
    except gaierror:
        return "dns"
    except HTTPException:
        return "protocol"
    except OSError:
        return "connection"
    finally:
        connection.close()
    if len(body) > limit:
        return "too-large"
    given = [record(name=name, value=value) for name, value in response.getheaders()]
    return record(status=response.status, headers=given, body=body.decode(errors="replace"))


def headers(records):
    """Headers as pairs."""
    return [(header.name, header.value) for header in records]
