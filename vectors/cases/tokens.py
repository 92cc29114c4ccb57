"""Security tokens, each with a private key.

The claims have the shape of real ones, or are those of the tokens that the tests of
official SDKs publish (published_claims.json). All are signed with
keys/fake-auth-service-key.pem, though nobody checks that here.
"""

import base64
import json
import os

import make_keys

EXPIRES = 4_102_444_800
HEADER = {"alg": "RS256", "kid": "asw_oc1_test0001", "typ": "JWT"}
CLAIMS = {
    "sub": "ocid1.instance.oc1.iad.anuwtesttestinstance",
    "opc-certtype": "instance",
    "iss": "authService.oracle.com",
    "fprint": "16:EA:6D:99:15:B0:73:9D:D6:4B:3B:D5:1B:1B:DB:B4:A7:40:2A:80",
    "ptype": "instance",
    "aud": "oci",
    "ttype": "x509",
    "opc-instance": "ocid1.instance.oc1.iad.anuwtesttestinstance",
    "opc-compartment": "ocid1.compartment.oc1..aaaaaaaatestcompartment",
    "opc-tenant": "ocid1.tenancy.oc1..aaaaaaaatesttenancy",
    "tenant": "ocid1.tenancy.oc1..aaaaaaaatesttenancy",
    "iat": 1_700_000_000,
    "exp": EXPIRES,
    "jti": "00000000-0000-4000-8000-000000000001",
}
NO_EXPIRY = {name: value for name, value in CLAIMS.items() if name != "exp"}


def cases():
    return [*good(), *bindings(), *expiries(), *trimmed(), *malformed()]


def encode(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def token(claims, header=HEADER):
    """A signed token; `claims` may be the payload's own text or bytes."""
    payload = claims if isinstance(claims, (str, bytes)) else compact(claims)
    payload = payload if isinstance(payload, bytes) else payload.encode()
    message = encode(compact(header).encode()) + "." + encode(payload)
    signature = make_keys.rs256("fake-auth-service-key.pem", message.encode())
    return message + "." + encode(signature)


def jwk(name="test-key.pem", as_text=True, n=None, **changes):
    numbers = make_keys.private_key(name).public_key().public_numbers()
    modulus = numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")
    members = {
        "kid": CLAIMS["fprint"],
        "n": n(modulus) if n else encode(modulus),
        "e": "AQAB",
        "kty": "RSA",
        "alg": "RS256",
        "use": "sig",
    } | changes
    members = {name: value for name, value in members.items() if value is not None}
    return compact(members) if as_text else members


def claims(**changes):
    found = CLAIMS | {"jwk": jwk()} | changes
    return {name: value for name, value in found.items() if value is not None}


def valid(id, group, text, bare=None, key="test-key.pem", expires=EXPIRES, binding_checked=True):
    return {
        "id": id,
        "group": group,
        "source": "rule",
        "token": text,
        "key": key,
        "result": "valid",
        "key_id": "ST$" + (text if bare is None else bare),
        "expires": expires,
        "binding_checked": binding_checked,
    }


def invalid(id, group, text, error="INVALID_TOKEN", key="test-key.pem"):
    return {
        "id": id,
        "group": group,
        "source": "rule",
        "token": text,
        "key": key,
        "result": "invalid",
        "error": error,
    }


def good():
    resource = {
        "sub": "ocid1.fnfunc.oc1.iad.aaaaaaaatestfn",
        "ptype": "resource",
        "ttype": "res",
        "res_type": "fnfunc",
        "res_id": "ocid1.fnfunc.oc1.iad.aaaaaaaatestfn",
        "res_tenant": "ocid1.tenancy.oc1..aaaaaaaatesttenancy",
        "res_compartment": "ocid1.compartment.oc1..aaaaaaaatestcompartment",
        "res_tag": "{}",
    }
    workload = {
        "res_type": "workload",
        "res_id": "ocid1.cluster.oc1.iad.testcluster",
        "var_namespace": "default",
        "var_service_account": "sa1",
    }
    return [
        valid("instance-principal", "good", token(claims())),
        valid("resource-principal", "good", token(claims(**resource))),
        valid("oke-workload", "good", token(claims(**resource | workload))),
        valid("user-session", "good", token(claims(sub="ocid1.user.oc1..aaaaaaaatestuser"))),
        valid("header-without-typ", "good", token(claims(), {"alg": "RS256", "kid": "asw"})),
        valid("claims-non-ascii", "good", token(claims(name="J\u00fcrgen \u65e5\u672c"))),
        valid("claims-only-two", "good", token({"exp": EXPIRES, "jwk": jwk()})),
        valid("other-key", "good", token(claims(jwk=jwk("other-key.pem"))), key="other-key.pem"),
        valid("key-3072", "good", token(claims(jwk=jwk("rsa-3072.pem"))), key="rsa-3072.pem"),
        *published(),
    ]


def published():
    path = os.path.join(os.path.dirname(__file__), "published_claims.json")
    with open(path, encoding="utf-8") as file:
        samples = json.load(file)
    for sample in samples:
        text = token(sample["claims"], sample["header"])
        if "jwk" in sample["claims"]:
            yield invalid("published-" + sample["id"], "published", text, "KEY_MISMATCH")
        else:
            expires = sample["claims"].get("exp")
            yield valid("published-" + sample["id"], "published", text, expires=expires, binding_checked=False)


def bindings():
    def standard(modulus):
        text = base64.b64encode(modulus).decode()
        assert "+" in text and "/" in text
        return text.rstrip("=")

    def padded_url(modulus):
        return base64.urlsafe_b64encode(modulus).decode()

    def padded(modulus):
        return base64.b64encode(modulus).decode()

    def leading_zero(modulus):
        return encode(b"\0" + modulus)

    def of(value):
        return token(claims(jwk=value))

    return [
        valid("jwk-standard-base64", "binding", of(jwk(n=standard))),
        valid("jwk-standard-base64-padded", "binding", of(jwk(n=padded))),
        valid("jwk-base64url-padded", "binding", of(jwk(n=padded_url))),
        valid("jwk-leading-zero", "binding", of(jwk(n=leading_zero))),
        valid("jwk-object", "binding", of(jwk(as_text=False))),
        valid("jwk-only-needed-members", "binding", of(jwk(kid=None, alg=None, use=None))),
        valid("jwk-more-members", "binding", of(jwk(x5c=["abc"], other={"a": 1}))),
        valid("jwk-text-with-blanks", "binding", of(" " + jwk().replace(",", ",\n  ") + " ")),
        valid("no-jwk", "binding", of(None), binding_checked=False),
        invalid("wrong-key", "binding", of(jwk()), "KEY_MISMATCH", key="other-key.pem"),
        invalid("jwk-of-other-key", "binding", of(jwk("other-key.pem")), "KEY_MISMATCH"),
        invalid("jwk-object-of-other-key", "binding", of(jwk("other-key.pem", as_text=False)), "KEY_MISMATCH"),
        invalid("jwk-other-exponent", "binding", of(jwk(e="Aw")), "KEY_MISMATCH"),
        invalid("jwk-n-cut", "binding", of(jwk(n=lambda modulus: encode(modulus[:-1]))), "KEY_MISMATCH"),
        invalid("jwk-not-json", "binding", of("not json")),
        invalid("jwk-empty", "binding", of("")),
        invalid("jwk-json-cut", "binding", of(jwk()[:-1])),
        invalid("jwk-text-after", "binding", of(jwk() + "x")),
        invalid("jwk-array-text", "binding", of("[]")),
        invalid("jwk-string-text", "binding", of('"RSA"')),
        invalid("jwk-number", "binding", of(7)),
        invalid("jwk-array", "binding", of([jwk(as_text=False)])),
        invalid("jwk-true", "binding", of(True)),
        invalid("jwk-n-not-base64", "binding", of(jwk(n=lambda _: "!!!not base64!!!"))),
        invalid("jwk-n-missing", "binding", of(jwk(n=lambda _: None))),
        invalid("jwk-n-number", "binding", of(jwk(n=lambda _: 5))),
        invalid("jwk-e-missing", "binding", of(jwk(e=None))),
        invalid("jwk-e-not-base64", "binding", of(jwk(e="*"))),
        invalid("jwk-kty-ec", "binding", of(jwk(kty="EC"))),
        invalid("jwk-kty-number", "binding", of(jwk(kty=1))),
    ]


def expiries():
    def of(text):
        return token(compact(claims(exp=None))[:-1] + f',"exp":{text}}}')

    return [
        valid("exp-0", "expiry", of("0"), expires=0),
        valid("exp-past", "expiry", of("1511838793"), expires=1_511_838_793),
        valid("exp-after-32-bits", "expiry", of("9007199254740991"), expires=9_007_199_254_740_991),
        valid("no-exp", "expiry", token(claims(exp=None)), expires=None),
        valid("no-exp-no-jwk", "expiry", token(NO_EXPIRY), expires=None, binding_checked=False),
        invalid("exp-fraction", "expiry", of("4102444800.5")),
        invalid("exp-negative", "expiry", of("-1")),
        invalid("exp-string", "expiry", of('"4102444800"')),
        invalid("exp-date", "expiry", of('"2100-01-01T00:00:00Z"')),
        invalid("exp-true", "expiry", of("true")),
        invalid("exp-array", "expiry", of("[4102444800]")),
        invalid("exp-65-bits", "expiry", of("18446744073709551616")),
        invalid("exp-malformed-no-jwk", "expiry", token(NO_EXPIRY | {"exp": "soon"})),
    ]


def trimmed():
    bare = token(claims())
    texts = {
        "newline": bare + "\n",
        "crlf": bare + "\r\n",
        "newlines": "\n" + bare + "\n\n",
        "bom": "\ufeff" + bare,
        "bom-crlf": "\ufeff" + bare + "\r\n",
        "blanks": " \t" + bare + " \t ",
        "st": "ST$" + bare,
        "st-newline": "ST$" + bare + "\n",
        "bom-st-crlf": "\ufeffST$" + bare + "\r\n",
        "blanks-st": "  ST$" + bare,
    }
    return [valid("trim-" + id, "trimmed", text, bare) for id, text in texts.items()]


def malformed():
    bare = token(claims())
    head, payload, tail = bare.split(".")
    texts = {
        "empty": "",
        "blank": " \r\n\t",
        "bom-alone": "\ufeff",
        "st-alone": "ST$",
        "one-part": head,
        "two-parts": f"{head}.{payload}",
        "four-parts": f"{bare}.{tail}",
        "dots": "..",
        "no-payload": f"{head}..{tail}",
        "payload-not-base64url": f"{head}.!!!!.{tail}",
        "payload-standard-base64": f"{head}.{base64.b64encode(b'{' + bytes([0xFB, 0xFF]) * 3).decode()}.{tail}",
        "payload-one-letter": f"{head}.a.{tail}",
        "payload-not-json": token("not json"),
        "payload-not-utf-8": token(b'{"sub":"\xff"}'),
        "payload-cut": token(compact(claims())[:-1]),
        "payload-array": token("[]"),
        "payload-string": token('"exp"'),
        "payload-number": token("7"),
        "payload-null": token("null"),
        "payload-deep": token("[" * 5000 + "]" * 5000),
        "non-ascii": f"{head}.{payload}.{tail}\u00e9",
        "non-ascii-first": "\u65e5" + bare,
        "space-inside": f"{head}.{payload} .{tail}",
        "newline-inside": f"{head}.{payload}\n.{tail}",
        "quote-inside": f'{head}.{payload}.{tail}"',
        "comma-inside": f"{head}.{payload}.{tail},x",
        "nul-inside": f"{head}.{payload}.{tail}\u0000x",
        "path": "/home/u/.oci/token",
        "pem": make_keys.read("test-key.pub.pem"),
    }
    sizes = {
        "65537-bytes": {"repeat": ["a", 65_537]},
        "10-mb": {"repeat": ["a", 10_000_000]},
        "1-mb-of-dots": {"repeat": [".", 1_000_000]},
        "64-kb-of-dots": {"repeat": [".", 65_536]},
    }
    return [invalid("malformed-" + id, "malformed", text) for id, text in (texts | sizes).items()]
