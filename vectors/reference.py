"""The rule of ocisign, written a second time.

Plain Python, no cleverness, and nothing of the library it is compared with. Each
public function takes what a case holds and returns what the case expects, or raises
`Refused` with the error code and whatever else the case names.
"""

import base64
import binascii
import hashlib
import ipaddress
import json
import re
import warnings
from datetime import datetime, timedelta, timezone

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.utils import CryptographyDeprecationWarning

from reader import headers as header_list
from reader import text

warnings.simplefilter("ignore", CryptographyDeprecationWarning)

MAX_BYTES = 65_536  # of a URL, a header, a PEM text, a token
MAX_HEADERS = 1_000
LAST_SECOND = 253_402_300_799  # 9999-12-31T23:59:59Z
WINDOW = 300
BODY_METHODS = ("post", "put", "patch")
BODY_HEADERS = ["content-length", "content-type", "x-content-sha256"]
TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110, 5.6.2
REG_NAME = re.compile(r"[A-Za-z0-9\-._~%!$&'()*+,;=]")  # RFC 3986, 3.2.2
DAYS = "Mon Tue Wed Thu Fri Sat Sun".split()
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


class Refused(Exception):
    """The input is refused, with this code and these details."""

    def __init__(self, code, **details):
        super().__init__(code, details)
        self.expectation = {"result": "invalid", "error": code, **details}


# --- texts and bodies -------------------------------------------------------------


def body_facts(body):
    """SHA-256 in base64 and length; None for a body that is left unsigned."""
    kind = body["kind"]
    if kind == "unsigned":
        return None
    if kind == "digest":
        return body["sha256"], body["length"]
    data = {
        "empty": lambda: b"",
        "text": lambda: body["text"].encode(),
        "base64": lambda: base64.b64decode(body["base64"], validate=True),
        "repeat": lambda: body["unit"].encode() * body["count"],
    }[kind]()
    return base64.b64encode(hashlib.sha256(data).digest()).decode(), len(data)


# --- the request ------------------------------------------------------------------


def parse_method(method):
    if not TOKEN.fullmatch(method):
        raise Refused("INVALID_METHOD")
    return method.lower()


def parse_url(url):
    """The host as it is signed, and the path with the query."""
    if len(url.encode()) > MAX_BYTES:
        raise Refused("INVALID_URL")
    for index, character in enumerate(url):
        if not "!" <= character <= "~":
            offset = len(url[:index].encode())
            raise Refused("INVALID_URL", character=character, offset=offset)

    def bad(index):
        return Refused("INVALID_URL", character=url[index], offset=index)

    parts = re.match(r"(https?)://([^/?#]*)([^#]*)", url, re.IGNORECASE)
    if not parts:
        raise Refused("INVALID_URL")
    scheme, authority, target = parts.groups()
    start = parts.start(2)
    if "@" in authority:
        raise bad(start + authority.index("@"))

    if authority.startswith("["):
        address, closed, rest = authority[1:].partition("]")
        if not closed or not is_ipv6(address):
            raise Refused("INVALID_URL")
        host = f"[{address}]"
        if rest and rest[0] != ":":
            raise bad(start + len(host))
        port = rest[1:]
    else:
        host, _, port = authority.partition(":")
        for index, character in enumerate(host):
            if not REG_NAME.match(character):
                raise bad(start + index)
        if not host:
            raise Refused("INVALID_URL")

    for index, character in enumerate(port):
        if not character.isdigit():
            raise bad(start + len(host) + 1 + index)
    if port and int(port) > 65_535:
        raise Refused("INVALID_URL")
    if port and int(port) != {"http": 80, "https": 443}[scheme.lower()]:
        host += ":" + port
    return host, target if target.startswith("/") else "/" + target


def is_ipv6(address):
    if not re.fullmatch(r"[0-9A-Fa-f:.]+", address):  # no zone
        return False
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        return False
    return True


class Headers:
    """Request headers: looked up without regard to case, checked when used."""

    def __init__(self, entries):
        self.entries = header_list(entries)
        if len(self.entries) > MAX_HEADERS:
            raise Refused("INVALID_HEADER")
        for name, value in self.entries:
            if not TOKEN.fullmatch(name):
                raise invalid_header(name)
            if len(name.encode()) + len(value.encode()) > MAX_BYTES:
                raise invalid_header(name)

    def all(self, name):
        return [value for given, value in self.entries if given.lower() == name]

    def one(self, name):
        """The trimmed value of a header that will be signed or set."""
        values = self.all(name)
        if len(values) > 1:
            raise invalid_header(name)
        return printable(name, values[0]) if values else None


def printable(name, value):
    value = value.strip(" \t")
    if not all(" " <= character <= "~" for character in value):
        raise invalid_header(name)
    return value


def invalid_header(name):
    """Named up to its first illegal character: behind it might stand a secret."""
    name = re.match(r"[!#$%&'*+.^_`|~0-9A-Za-z-]*", name)[0]
    return Refused("INVALID_HEADER", header=name.lower()) if name else Refused("INVALID_HEADER")


def imf_fixdate(now):
    """`now` as RFC 9110, 5.6.7 writes it."""
    if now > LAST_SECOND:
        raise Refused("INVALID_DATE")
    at = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=now)
    day, month = DAYS[at.weekday()], MONTHS[at.month - 1]
    return f"{day}, {at.day:02} {month} {at.year:04} {at:%H:%M:%S} GMT"


# --- signing ----------------------------------------------------------------------


def sign(request, credential, now, private_key):
    """The headers that sign `request`, and every stage on the way to them."""
    if credential.get("expires") is not None and credential["expires"] <= now:
        raise Refused("EXPIRED")
    method = parse_method(text(request["method"]))
    url_host, target = parse_url(text(request["url"]))
    headers = Headers(request["headers"])
    if headers.all("opc-obo-token"):
        raise invalid_header("opc-obo-token")
    if len(headers.all("authorization")) > 1:
        raise invalid_header("authorization")

    if headers.all("x-date"):
        signed = [("x-date", headers.one("x-date"))]
    elif headers.all("date"):
        signed = [("date", headers.one("date"))]
    else:
        signed = [(request.get("date_header", "date"), imf_fixdate(now))]
    signed.append(("(request-target)", f"{method} {target}"))
    host = headers.one("host")
    signed.append(("host", url_host if host is None else host))
    if "delegation_token" in credential:
        signed.append(("opc-obo-token", printable("opc-obo-token", credential["delegation_token"])))

    facts = body_facts(request["body"])
    if method in BODY_METHODS and facts:
        digest, length = facts
        given = headers.one("content-length")
        if given is not None and not (re.fullmatch("[0-9]+", given) and int(given) == length):
            raise invalid_header("content-length")
        given = headers.one("x-content-sha256")
        if given is not None and given != digest:
            raise invalid_header("x-content-sha256")
        content_type = headers.one("content-type") or "application/json"
        signed += zip(BODY_HEADERS, [str(length), content_type, digest])

    names = [name for name, _ in signed]
    signing_string = "\n".join(f"{name}: {value}" for name, value in signed)
    signature = rsa_sha256(private_key, signing_string)
    authorization = (
        f'Signature version="1",keyId="{credential["key_id"]}",algorithm="rsa-sha256",'
        f'headers="{" ".join(names)}",signature="{signature}"'
    )
    returned = [[name, value] for name, value in signed if name != "(request-target)"]
    return {
        "result": "valid",
        "signed_headers": names,
        "signing_string": signing_string,
        "signature": signature,
        "headers": returned + [["authorization", authorization]],
    }


def rsa_sha256(private_key, message):
    signature = private_key.sign(message.encode(), padding.PKCS1v15(), hashes.SHA256())
    return base64.b64encode(signature).decode()


# --- verifying --------------------------------------------------------------------


def verify(request, now, public_key, expected_host=None):
    """What a receiver accepts: the key id, and the names that were signed."""
    method = parse_method(text(request["method"]))
    _, target = parse_url(text(request["url"]))
    headers = Headers(request["headers"])
    given = headers.all("authorization")
    if not given:
        raise Refused("MISSING_AUTHORIZATION")
    if len(given) > 1:
        raise Refused("DUPLICATE_HEADER", header="authorization")
    parameters = parse_authorization(given[0])
    signature = parameters["signature"]
    names = parameters["headers"].lower().split(" ")

    for name in names:
        if names.count(name) > 1:
            raise Refused("DUPLICATE_HEADER", header=name)
    required = ["x-date" if headers.all("x-date") else "date", "(request-target)", "host"]
    if "x-date" in names:
        required[0] = "x-date"
    if headers.all("opc-obo-token"):
        required.append("opc-obo-token")
    facts = body_facts(request["body"])
    if method in BODY_METHODS and facts:
        required += BODY_HEADERS
    for name in required:
        if name not in names:
            raise Refused("HEADER_NOT_SIGNED", header=name)

    values = {"(request-target)": f"{method} {target}"}
    for name in names:
        if name == "(request-target)":
            continue
        found = headers.all(name)
        if not found:
            raise Refused("HEADER_MISSING", header=name)
        if len(found) > 1:
            raise Refused("DUPLICATE_HEADER", header=name)
        values[name] = found[0].strip(" \t")

    if expected_host is not None and values["host"].lower() != expected_host.lower():
        raise Refused("HOST_MISMATCH")
    if abs(parse_date(values[required[0]]) - now) > WINDOW:
        raise Refused("DATE_OUT_OF_WINDOW")
    if facts:
        digest, length = facts
        if values.get("content-length", str(length)) != str(length):
            raise Refused("LENGTH_MISMATCH")
        if values.get("x-content-sha256", digest) != digest:
            raise Refused("DIGEST_MISMATCH")
    signing_string = "\n".join(f"{name}: {values[name]}" for name in names)
    try:
        public_key.verify(signature, signing_string.encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        raise Refused("SIGNATURE_MISMATCH") from None
    return {"result": "valid", "key_id": parameters["keyId"], "signed_headers": names}


def parse_authorization(value):
    """The parameters, each once, each quoted; the signature as bytes."""
    malformed = Refused("MALFORMED_AUTHORIZATION")
    if not value.startswith("Signature "):
        raise malformed
    parameters = {}
    rest = value.removeprefix("Signature")
    while rest:
        match = re.match(r'[ ,]([A-Za-z]+)="([^"]*)"', rest)
        if not match or match[1] in parameters or (rest[0] == " ") == bool(parameters):
            raise malformed
        parameters[match[1]] = match[2]
        rest = rest[match.end() :]
    if not set(parameters) <= {"version", "keyId", "algorithm", "headers", "signature"}:
        raise malformed
    if not {"keyId", "algorithm", "headers", "signature"} <= set(parameters):
        raise malformed
    if parameters.get("version", "1") != "1":
        raise Refused("UNSUPPORTED_VERSION")
    if parameters["algorithm"] != "rsa-sha256":
        raise Refused("UNSUPPORTED_ALGORITHM")
    signature = decode_base64(parameters["signature"])
    if not signature:
        raise malformed
    parameters["signature"] = signature
    return parameters


def decode_base64(value):
    """Strict standard base64 with padding, or None."""
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64.b64encode(data).decode() == value else None


def parse_date(value):
    """IMF-fixdate to seconds; the weekday has to be one, not the right one."""
    match = re.fullmatch(
        rf"(?:{'|'.join(DAYS)}), (\d\d) ({'|'.join(MONTHS)}) (\d{{4}}) (\d\d):(\d\d):(\d\d) GMT",
        value,
        re.ASCII,
    )
    if not match:
        raise Refused("INVALID_DATE")
    day, month, year, *clock = match.groups()
    try:
        at = datetime(
            int(year), MONTHS.index(month) + 1, int(day), *map(int, clock), tzinfo=timezone.utc
        )
    except ValueError:
        raise Refused("INVALID_DATE") from None
    if at.year < 1970:  # times here are counted from then on
        raise Refused("INVALID_DATE")
    return int(at.timestamp())


# --- private keys -----------------------------------------------------------------

OID_RSA = bytes.fromhex("2a864886f70d010101")
OID_PBES2 = bytes.fromhex("2a864886f70d01050d")
OID_PBKDF2 = bytes.fromhex("2a864886f70d01050c")
OID_SCRYPT = bytes.fromhex("2b06010401da47040b")
OIDS_AES_CBC = [bytes.fromhex("60864801650304" + tail) for tail in ("0102", "0116", "012a")]
LEGACY_CIPHERS = {
    "AES-128-CBC": (AES, 16),
    "AES-192-CBC": (AES, 24),
    "AES-256-CBC": (AES, 32),
    "DES-EDE3-CBC": (TripleDES, 24),
}
MAX_ROUNDS = 2_000_000  # PBKDF2
MAX_SCRYPT_BYTES = 64 << 20  # 128 * N * r


class KeyRefused(Refused):
    def __init__(self, reason):
        super().__init__("INVALID_KEY", reason=reason)


def read_private_key(pem, passphrase=None, allow_weak_key=False):
    """The key of a PEM text, as an object that signs."""
    if len(pem.encode()) > MAX_BYTES:
        raise KeyRefused("too-large")
    if "-----BEGIN " not in pem:
        raise KeyRefused("path-given" if looks_like_a_path(pem.strip()) else "not-pem")
    if "\n" not in pem.strip():
        pem = pem.replace("\\n", "\n")
    pem = pem.replace("\r\n", "\n")
    blocks = re.findall(
        r"-----BEGIN ([A-Z0-9 ]+)-----[ \t]*\n(.*?)-----END \1-----", pem, re.DOTALL
    )
    if not blocks:
        raise KeyRefused("malformed")
    for label, content in blocks:
        if label.endswith("PRIVATE KEY"):
            return read_block(label, content, passphrase, allow_weak_key)
    label = blocks[0][0]
    raise KeyRefused(
        "certificate" if "CERTIFICATE" in label else "public-key" if label.endswith("PUBLIC KEY") else "not-rsa"
    )


def looks_like_a_path(line):
    if "\n" in line or len(line) > 4096:
        return False
    return bool(re.match(r"[/~]|\.{1,2}[/\\]|[A-Za-z]:\\", line)) or line.endswith((".pem", ".key"))


def read_block(label, content, passphrase, allow_weak_key):
    if label in ("EC PRIVATE KEY", "DSA PRIVATE KEY"):
        raise KeyRefused("not-rsa")
    if label not in ("RSA PRIVATE KEY", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY"):
        raise KeyRefused("unsupported")
    fields, _, body = content.rpartition("\n\n") if "Proc-Type:" in content else ("", "", content)
    data = decode_base64("".join(body.split()))
    if data is None:
        raise KeyRefused("malformed")

    if "ENCRYPTED" in label + fields:
        if fields:
            information = re.search(r"DEK-Info: ([A-Z0-9-]+),([0-9A-Fa-f]+)$", fields)
            if not information:
                raise KeyRefused("malformed")
            if information[1] not in LEGACY_CIPHERS:
                raise KeyRefused("unsupported")
        else:
            check_encryption(data)
        if passphrase is None:
            raise KeyRefused("passphrase-missing")
        try:
            if fields:
                data = decrypt_legacy(data, passphrase.encode(), *information.groups())
            else:
                key = serialization.load_der_private_key(data, passphrase.encode())
                data = key.private_bytes(
                    serialization.Encoding.DER,
                    serialization.PrivateFormat.TraditionalOpenSSL,
                    serialization.NoEncryption(),
                )
            der_integers(data)
        except (ValueError, KeyRefused):
            raise KeyRefused("passphrase-wrong") from None
    elif label == "PRIVATE KEY":
        data = unwrap_pkcs8(data)

    bits = der_integers(data)[1].bit_length()
    if bits < (1024 if allow_weak_key else 2048):
        raise KeyRefused("too-short")
    try:
        return serialization.load_der_private_key(data, None)
    except ValueError:
        raise KeyRefused("malformed") from None


def decrypt_legacy(data, passphrase, cipher, iv):
    """What `Proc-Type: 4,ENCRYPTED` hides: OpenSSL's EVP_BytesToKey with MD5, then CBC."""
    algorithm, size = LEGACY_CIPHERS[cipher]
    iv = bytes.fromhex(iv)
    key = block = b""
    while len(key) < size:
        block = hashlib.md5(block + passphrase + iv[:8]).digest()
        key += block
    decryptor = Cipher(algorithm(key[:size]), modes.CBC(iv)).decryptor()
    padded = decryptor.update(data) + decryptor.finalize()
    unpadder = PKCS7(algorithm.block_size).unpadder()
    return unpadder.update(padded) + unpadder.finalize()


def check_encryption(data):
    """Refuse what nobody reads, and what costs too much to try."""
    (algorithm, encrypted) = der_children(der_only(data, 0x30))
    (scheme, parameters) = der_children(expect(algorithm, 0x30))
    expect(encrypted, 0x04)
    if scheme != (0x06, OID_PBES2):
        raise KeyRefused("unsupported")
    (derivation, cipher) = der_children(expect(parameters, 0x30))
    if der_children(expect(cipher, 0x30))[0][1] not in OIDS_AES_CBC:
        raise KeyRefused("unsupported")
    (function, settings) = der_children(expect(derivation, 0x30))
    numbers = [int.from_bytes(v, "big") for t, v in der_children(expect(settings, 0x30)) if t == 0x02]
    if function[1] == OID_PBKDF2:
        costly = numbers[0] > MAX_ROUNDS
    elif function[1] == OID_SCRYPT:
        costly = 128 * numbers[0] * numbers[1] > MAX_SCRYPT_BYTES
    else:
        raise KeyRefused("unsupported")
    if costly:
        raise KeyRefused("too-large")


def unwrap_pkcs8(data):
    parts = der_children(der_only(data, 0x30))
    if len(parts) < 3:
        raise KeyRefused("malformed")
    if der_children(expect(parts[1], 0x30))[0] != (0x06, OID_RSA):
        raise KeyRefused("not-rsa")
    return expect(parts[2], 0x04)


def der_integers(data):
    numbers = [int.from_bytes(expect(part, 0x02), "big") for part in der_children(der_only(data, 0x30))]
    if len(numbers) != 9:
        raise KeyRefused("malformed")
    return numbers


def der_only(data, tag):
    parts = der_children(data)
    if len(parts) != 1:
        raise KeyRefused("malformed")
    return expect(parts[0], tag)


def der_children(data):
    """The (tag, value) pairs that stand one after another in `data`."""
    parts = []
    while data:
        if len(data) < 2:
            raise KeyRefused("malformed")
        tag, length, start = data[0], data[1], 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(data[2:start], "big")
        if start + length > len(data):
            raise KeyRefused("malformed")
        parts.append((tag, data[start : start + length]))
        data = data[start + length :]
    return parts


def expect(part, tag):
    if part[0] != tag:
        raise KeyRefused("malformed")
    return part[1]


def fingerprint(key):
    """MD5 of the DER SubjectPublicKeyInfo, in lower-case pairs."""
    der = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.md5(der).digest().hex(":")


# --- profiles ---------------------------------------------------------------------


def read_profile(content, name):
    """The values of one profile, those of DEFAULT beneath them."""
    sections = {}
    section = None
    for number, line in enumerate(content.removeprefix("\ufeff").split("\n"), 1):
        line = line.removesuffix("\r").strip(" \t")
        invalid = Refused("INVALID_PROFILE", line=number)
        if not line or line[0] in "#;":
            continue
        if line[0] == "[":
            title = line[1:-1].strip(" \t")
            if line[-1] != "]" or not title or title in sections:
                raise invalid
            section = sections[title] = {}
            continue
        separators = [line.index(mark) for mark in "=:" if mark in line]
        if not separators or section is None:
            raise invalid
        key = line[: min(separators)].strip(" \t").lower()
        if not key or key in section:
            raise invalid
        section[key] = line[min(separators) + 1 :].strip(" \t")
    if name not in sections:
        raise Refused("PROFILE_NOT_FOUND")
    return {"result": "valid", "values": sections.get("DEFAULT", {}) | sections[name]}


# --- tokens -----------------------------------------------------------------------


def read_token(token, private_key):
    """What a security token says of itself; its signature is not checked."""
    invalid = Refused("INVALID_TOKEN")
    if len(token.encode()) > MAX_BYTES:
        raise invalid
    token = token.strip(" \t\r\n\ufeff").removeprefix("ST$")
    parts = token.split(".")
    if len(parts) != 3 or not all(re.fullmatch(r"[A-Za-z0-9_-]+", part) for part in parts):
        raise invalid
    payload = decode_base64url(parts[1])
    claims = parse_object(payload, invalid)

    expires = claims.get("exp")
    if "exp" in claims and not (type(expires) is int and 0 <= expires < 1 << 64):
        raise invalid
    if "jwk" in claims:
        jwk = claims["jwk"]
        if isinstance(jwk, str):
            jwk = parse_object(jwk, invalid)
        if not isinstance(jwk, dict) or jwk.get("kty") != "RSA":
            raise invalid
        numbers = []
        for member in ("n", "e"):
            value = jwk.get(member)
            data = decode_base64url(value) if isinstance(value, str) else None
            if not data:
                raise invalid
            numbers.append(int.from_bytes(data, "big"))
        public = private_key.public_key().public_numbers()
        if numbers != [public.n, public.e]:
            raise Refused("KEY_MISMATCH")
    return {
        "result": "valid",
        "key_id": "ST$" + token,
        "expires": expires,
        "binding_checked": "jwk" in claims,
    }


def decode_base64url(value):
    """Base64url or base64, padded or not, or None."""
    value = value.replace("-", "+").replace("_", "/").rstrip("=")
    return decode_base64(value + "=" * (-len(value) % 4))


def parse_object(data, invalid):
    def refuse(_):
        raise ValueError

    try:
        value = json.loads(data, parse_constant=refuse)
    except (RecursionError, TypeError, ValueError):
        raise invalid from None
    if not isinstance(value, dict):
        raise invalid
    return value


# --- regions ----------------------------------------------------------------------

INFIXED = {
    "auth": "auth.{region}.{domain}",
    "identity": "identity.{region}.oci.{domain}",
    "secrets": "secrets.vaults.{region}.oci.{domain}",
    "objectstorage": "objectstorage.{region}.{domain}",
    "iaas": "iaas.{region}.{domain}",
}
MEMBERS = ("regionIdentifier", "regionKey", "realmKey", "realmDomainComponent")


def read_region(table, region, regions_config=None, region_metadata=None, realm_domain=None):
    """A region's name, realm, domain and endpoints."""
    region = host_name(region)
    known = find(table["regions"], region, "region", "short_code")
    if known:
        domains = {realm["realm"]: realm["second_level_domain"] for realm in table["realms"]}
        return located(known["region"], known["realm"], domains[known["realm"]])
    for value, shape in ((regions_config, list), (region_metadata, dict)):
        if value is not None:
            known = find(described(value, shape), region, "regionIdentifier", "regionKey")
            if known:
                return located(*(known[m] for m in ("regionIdentifier", "realmKey", "realmDomainComponent")))
    if "." in region:
        expectation = located(region, None, None)
        expectation["endpoints"] = {service: f"https://{service}.{region}" for service in INFIXED}
        return expectation
    if realm_domain is not None:
        return located(region, None, host_name(realm_domain))
    return located(region, "oc1", "oraclecloud.com")


def find(entries, region, *members):
    for entry in entries:
        if region in (entry[member] for member in members):
            return entry
    return None


def described(value, shape):
    """The entries of a regions-config or region metadata text."""
    try:
        value = json.loads(value)
    except ValueError:
        raise Refused("INVALID_REGION") from None
    if not isinstance(value, shape):
        raise Refused("INVALID_REGION")
    entries = []
    for entry in value if shape is list else [value]:
        if not isinstance(entry, dict) or not all(isinstance(entry.get(m), str) for m in MEMBERS):
            raise Refused("INVALID_REGION")
        entries.append({member: host_name(entry[member]) for member in MEMBERS})
    return entries


def host_name(value):
    if not re.fullmatch(r"[A-Za-z0-9._-]+", value):
        raise Refused("INVALID_REGION")
    return value.lower()


def located(region, realm, domain):
    return {
        "result": "valid",
        "region_id": region,
        "realm": realm,
        "second_level_domain": domain,
        "endpoints": {
            service: "https://" + template.format(region=region, domain=domain)
            for service, template in INFIXED.items()
        },
    }
