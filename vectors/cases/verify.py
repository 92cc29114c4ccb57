"""Received requests: what a receiver accepts, and one case for each thing it refuses."""

import base64
import hashlib

import make_keys
import reference

KEY_ID = (
    "ocid1.tenancy.oc1..aaaaaaaatesttenancy/ocid1.user.oc1..aaaaaaaatestuser/"
    "e2:be:6e:c2:61:b6:a0:e5:6b:3e:a9:03:8c:0a:28:ee"
)
NOW = 1_704_110_645
DATE = "Mon, 01 Jan 2024 12:04:05 GMT"
HOST = "iaas.us-phoenix-1.oraclecloud.com"
PATH = "/20160918/instances?compartmentId=ocid1.compartment.oc1..aaaa&limit=10"
GET = ["date", "(request-target)", "host"]
POST = GET + ["content-length", "content-type", "x-content-sha256"]
BODY = '{"displayName":"x"}'
DIGEST = base64.b64encode(hashlib.sha256(BODY.encode()).digest()).decode()

# The order in which each signer writes the parameters.
LAYOUTS = {
    "ocisign": "version keyId algorithm headers signature",
    "python": "algorithm headers keyId signature version",
    "go": "version headers keyId algorithm signature",
    "java": "headers keyId algorithm signature version",
    "typescript": "version keyId algorithm headers signature",
    "no-version": "keyId algorithm headers signature",
}


def received(
    method="GET",
    url=None,
    names=GET,
    layout="ocisign",
    key="test-key.pem",
    key_id=KEY_ID,
    date=DATE,
    host=HOST,
    body=None,
    content_type="application/json",
    extra=(),
    shown=None,
    **parameters,
):
    """A request as it comes in, signed over `names`; `shown` is how they are written."""
    url = url or f"https://{host}{PATH}"
    headers = [["host", host]]
    headers += [[name, date] for name in ("date", "x-date") if name in names]
    if body is None:
        body = {"kind": "text", "text": BODY} if method in ("POST", "PUT", "PATCH") else {"kind": "empty"}
    if body["kind"] not in ("empty", "unsigned") or "content-length" in names:
        headers += [["content-length", str(len(BODY))], ["content-type", content_type], ["x-content-sha256", DIGEST]]
    headers += [list(header) for header in extra]
    values = {name.lower(): value for name, value in reversed(headers)}
    values["(request-target)"] = f"{method.lower()} {url.split(host, 1)[1]}"
    signing_string = "\n".join(f"{name}: {values[name]}" for name in names)
    parts = {
        "version": "1",
        "keyId": key_id,
        "algorithm": "rsa-sha256",
        "headers": shown or " ".join(names),
        "signature": reference.rsa_sha256(make_keys.private_key(key), signing_string),
    } | parameters
    written = ",".join(f'{name}="{parts[name]}"' for name in LAYOUTS[layout].split())
    headers.append(["authorization", "Signature " + written])
    return {"method": method, "url": url, "headers": headers, "body": body}


def changed(request, *edits, **members):
    """The request with the value of some headers replaced, or with other members."""
    headers = []
    for name, value in request["headers"]:
        for edited, edit in edits:
            if edited == name:
                value = edit(value) if callable(edit) else edit
        if value is not None:
            headers.append([name, value])
    return request | {"headers": headers} | members


def added(request, *headers):
    return request | {"headers": request["headers"] + [list(header) for header in headers]}


def authorization(edit, **rest):
    return changed(received(**rest), ("authorization", edit))


def base(id, group, request, key="test-key.pub.pem", now=NOW, source="rule", **options):
    return {"id": id, "group": group, "source": source, "request": request, "key": key, "now": now, **options}


def valid(id, request, names=GET, key_id=KEY_ID, **rest):
    return base(id, "valid", request, **rest) | {
        "result": "valid",
        "key_id": key_id,
        "signed_headers": list(names),
    }


def refused(id, error, request, header=None, **rest):
    found = base(id, error.lower().replace("_", "-"), request, **rest) | {"result": "invalid", "error": error}
    return found | {"header": header} if header else found


def cases(published):
    return [
        *accepted(),
        *official(published),
        *bad_authorizations(),
        *bad_header_sets(),
        *bad_dates(),
        *bad_bodies(),
        *bad_signatures(),
        *bad_requests(),
    ]


def accepted():
    x_get = ["x-date"] + GET[1:]
    delegated = GET + ["opc-obo-token"] + POST[3:]
    shuffled = ["host", "x-content-sha256", "(request-target)", "content-type", "date", "content-length"]
    typescript = ["x-date", "(request-target)", "host", "content-type", "content-length", "x-content-sha256"]
    java = POST + ["x-cross-tenancy-request"]
    mixed = "x-date (request-target) host Content-Type Content-Length x-content-sha256"
    tenancy = [["x-cross-tenancy-request", "ocid1.tenancy.oc1..bbbb"]]
    unsigned = {"kind": "unsigned"}
    digest = {"kind": "digest", "sha256": DIGEST, "length": len(BODY)}
    token = {"key_id": "ST$eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ0ZXN0In0.c2lnbmF0dXJl"}
    return [
        *(valid(f"get-{layout}", received(layout=layout)) for layout in LAYOUTS if layout != "typescript"),
        *(valid(f"post-{layout}", received("POST", names=POST, layout=layout), POST) for layout in ("ocisign", "python", "go", "java")),
        valid("get-typescript", added(received(names=x_get, layout="typescript"), ["date", DATE]), x_get),
        valid("post-typescript", added(received("POST", names=typescript, layout="typescript", shown=mixed), ["date", DATE]), typescript),
        valid("get-x-date", received(names=x_get), x_get),
        valid("x-date-signed-date-unsigned-and-wrong", added(received(names=x_get), ["date", "long ago"]), x_get),
        valid("post-other-order", received("POST", names=shuffled), shuffled),
        valid("put", received("PUT", names=POST), POST),
        valid("patch-lower-method", received("patch", names=POST, body={"kind": "text", "text": BODY}), POST),
        valid("post-java-cross-tenancy", received("POST", names=java, layout="java", extra=tenancy), java),
        valid("post-delegation", received("POST", names=delegated, extra=[["opc-obo-token", "a.b.c"]]), delegated),
        valid("post-digest", received("POST", names=POST, body=digest), POST),
        valid("put-unsigned-body", received("PUT", body=unsigned)),
        valid("put-unsigned-body-signed-anyway", received("PUT", names=POST, body=unsigned), POST),
        valid("get-token", received(**token), **token),
        valid("get-odd-path", received(url=f"https://{HOST}/a/../b//%2f|\"{{}}?")),
        valid("get-header-names-mixed-case", mixed_case(received())),
        valid("get-unsigned-header-twice", added(received(), ["accept", "a/b"], ["accept", "c/d"])),
        valid("get-more-signed", received(names=GET + ["accept"], extra=[["accept", "a/b"]]), GET + ["accept"]),
        valid("delete-with-body-unsigned", received("DELETE", body={"kind": "text", "text": BODY})),
        valid("host-expected", received(), expected_host=HOST),
        valid("host-with-port-expected", received(host="h.example.com:8443"), expected_host="h.example.com:8443"),
        valid("date-300-seconds-old", received(), now=NOW + 300),
        valid("date-300-seconds-ahead", received(), now=NOW - 300),
        valid("date-wrong-weekday", received(date=DATE.replace("Mon", "Thu"))),
        valid("date-leap-day", received(date="Thu, 29 Feb 2024 00:00:00 GMT"), now=1_709_164_800),
    ]


def mixed_case(request):
    return request | {"headers": [[name.title(), value] for name, value in request["headers"]]}


def official(published):
    """Oracle's published requests, as our own signer writes them and as Go's does."""
    for case in published:
        if case["group"] != "published":
            continue
        request = {name: case["request"][name] for name in ("method", "url", "body")}
        version, key_id, algorithm, headers, signature = case["headers"][-1][1][len("Signature ") :].split(",")
        go = "Signature " + ",".join((version, headers, key_id, algorithm, signature))
        for suffix, value in (("", case["headers"][-1][1]), ("-go", go)):
            yield base(
                case["id"] + suffix,
                "valid",
                request | {"headers": case["headers"][:-1] + [["authorization", value]]},
                key="oracle-docs-1024.pub.pem",
                now=case["now"],
                source="oracle-docs",
                allow_weak_key=True,
            ) | {"result": "valid", "key_id": case["credential"]["key_id"], "signed_headers": case["signed_headers"]}


def bad_authorizations():
    def without(name):
        return lambda value: ",".join(
            part for part in value.replace("Signature ", "Signature ,").split(",") if not part.startswith(name + "=")
        ).replace("Signature ,", "Signature ")

    def signature(edit):
        return lambda value: value.rpartition('signature="')[0] + 'signature="' + edit(value.rpartition('signature="')[2][:-1]) + '"'

    malformed = {
        "empty": "",
        "scheme-alone": "Signature",
        "scheme-and-blank": "Signature ",
        "scheme-basic": "Basic dXNlcjpwYXNz",
        "scheme-bearer": lambda value: value.replace("Signature", "Bearer", 1),
        "scheme-missing": lambda value: value.removeprefix("Signature "),
        "value-unquoted": lambda value: value.replace('"rsa-sha256"', "rsa-sha256"),
        "value-half-quoted": lambda value: value.replace('"rsa-sha256"', '"rsa-sha256'),
        "quote-unterminated": lambda value: value[:-1],
        "parameter-twice": lambda value: value + ',algorithm="rsa-sha256"',
        "key-id-twice": lambda value: value + ',keyId="someone/else/00"',
        "parameter-unknown": lambda value: value + ',created="1704110645"',
        "parameter-without-value": lambda value: value + ",opaque",
        "comma-last": lambda value: value + ",",
        "text-after-quote": lambda value: value + "x",
        "no-key-id": without("keyId"),
        "no-headers": without("headers"),
        "no-signature": without("signature"),
        "no-algorithm": without("algorithm"),
        "signature-empty": signature(lambda _: ""),
        "signature-unpadded": signature(lambda text: text.rstrip("=")),
        "signature-base64url": signature(lambda text: text.replace("+", "-").replace("/", "_")),
        "signature-blank-inside": signature(lambda text: text[:20] + " " + text[20:]),
        "signature-text-after-padding": signature(lambda text: text + "AAAA"),
        "signature-loose-bits": signature(lambda text: text[:-3] + chr(ord(text[-3]) + 1) + "=="),
    }
    return [
        refused("authorization-none", "MISSING_AUTHORIZATION", changed(received(), ("authorization", None))),
        *(refused("authorization-" + id, "MALFORMED_AUTHORIZATION", authorization(edit)) for id, edit in malformed.items()),
        refused("version-2", "UNSUPPORTED_VERSION", received(version="2")),
        refused("version-1.0", "UNSUPPORTED_VERSION", received(version="1.0")),
        refused("version-empty", "UNSUPPORTED_VERSION", received(version="")),
        refused("algorithm-hmac", "UNSUPPORTED_ALGORITHM", received(algorithm="hmac-sha256")),
        refused("algorithm-sha1", "UNSUPPORTED_ALGORITHM", received(algorithm="rsa-sha1")),
        refused("algorithm-pss", "UNSUPPORTED_ALGORITHM", received(algorithm="rsa-pss-sha256")),
        refused("algorithm-none", "UNSUPPORTED_ALGORITHM", received(algorithm="none")),
        refused("algorithm-empty", "UNSUPPORTED_ALGORITHM", received(algorithm="")),
    ]


def bad_header_sets():
    def less(name, names, method):
        request = received(method, names=[each for each in names if each != name])
        return request if name not in ("date",) else added(request, ["date", DATE])

    unsigned_names = [
        *(refused(f"get-{name.strip('()')}-unsigned", "HEADER_NOT_SIGNED", less(name, GET, "GET"), name) for name in GET),
        *(refused(f"post-{name.strip('()')}-unsigned", "HEADER_NOT_SIGNED", less(name, POST, "POST"), name) for name in POST),
    ]
    x_get = ["x-date"] + GET[1:]
    lists_twice = received(names=GET + ["host"])
    return [
        *unsigned_names,
        refused("put-empty-body-headers-unsigned", "HEADER_NOT_SIGNED", received("PUT", body={"kind": "empty"}), "content-length"),
        refused("patch-lower-body-headers-unsigned", "HEADER_NOT_SIGNED", received("patch", body={"kind": "empty"}), "content-length"),
        refused("delegation-unsigned", "HEADER_NOT_SIGNED", added(received(), ["opc-obo-token", "a.b.c"]), "opc-obo-token"),
        refused("x-date-unsigned", "HEADER_NOT_SIGNED", added(received(), ["x-date", DATE]), "x-date"),
        refused("signed-header-missing", "HEADER_MISSING", changed(received(names=GET + ["accept"], extra=[["accept", "a/b"]]), ("accept", None)), "accept"),
        refused("date-missing", "HEADER_MISSING", changed(received(), ("date", None)), "date"),
        refused("host-missing", "HEADER_MISSING", changed(received(), ("host", None)), "host"),
        refused("x-date-signed-but-missing", "HEADER_MISSING", changed(received(names=x_get), ("x-date", None)), "x-date"),
        refused("content-type-missing", "HEADER_MISSING", changed(received("POST", names=POST), ("content-type", None)), "content-type"),
        refused("delegation-missing", "HEADER_MISSING", changed(received(names=GET + ["opc-obo-token"], extra=[["opc-obo-token", "a.b.c"]]), ("opc-obo-token", None)), "opc-obo-token"),
        refused("date-twice", "DUPLICATE_HEADER", added(received(), ["Date", DATE]), "date"),
        refused("host-twice", "DUPLICATE_HEADER", added(received(), ["host", "evil.example.com"]), "host"),
        refused("content-length-twice", "DUPLICATE_HEADER", added(received("POST", names=POST), ["content-length", "19"]), "content-length"),
        refused("x-content-sha256-twice", "DUPLICATE_HEADER", added(received("POST", names=POST), ["X-Content-Sha256", DIGEST]), "x-content-sha256"),
        refused("more-signed-twice", "DUPLICATE_HEADER", added(received(names=GET + ["accept"], extra=[["accept", "a/b"]]), ["accept", "c/d"]), "accept"),
        refused("list-names-host-twice", "DUPLICATE_HEADER", lists_twice, "host"),
        refused("list-names-host-twice-mixed-case", "DUPLICATE_HEADER", received(names=GET + ["host"], shown="date (request-target) host Host"), "host"),
        refused("authorization-twice", "DUPLICATE_HEADER", added(received(), ["Authorization", received()["headers"][-1][1]]), "authorization"),
    ]


def bad_dates():
    dates = {
        "empty": "",
        "word": "yesterday",
        "iso-8601": "2024-01-01T12:04:05Z",
        "unix": "1704110645",
        "rfc-850": "Monday, 01-Jan-24 12:04:05 GMT",
        "asctime": "Mon Jan  1 12:04:05 2024",
        "offset": "Mon, 01 Jan 2024 12:04:05 +0000",
        "utc": "Mon, 01 Jan 2024 12:04:05 UTC",
        "one-digit-day": "Mon, 1 Jan 2024 12:04:05 GMT",
        "no-weekday": "01 Jan 2024 12:04:05 GMT",
        "unknown-weekday": "Xyz, 01 Jan 2024 12:04:05 GMT",
        "unknown-month": "Mon, 01 Jab 2024 12:04:05 GMT",
        "day-32": "Mon, 32 Jan 2024 12:04:05 GMT",
        "day-00": "Mon, 00 Jan 2024 12:04:05 GMT",
        "no-leap-day": "Wed, 29 Feb 2023 12:04:05 GMT",
        "hour-24": "Mon, 01 Jan 2024 24:04:05 GMT",
        "minute-60": "Mon, 01 Jan 2024 12:60:05 GMT",
        "text-after": "Mon, 01 Jan 2024 12:04:05 GMT+1",
        "inner-blanks": "Mon,  01 Jan 2024 12:04:05 GMT",
    }
    x_get = ["x-date"] + GET[1:]
    return [
        *(refused("date-" + id, "INVALID_DATE", received(date=date)) for id, date in dates.items()),
        refused("x-date-word", "INVALID_DATE", received(names=x_get, date="yesterday")),
        refused("date-301-seconds-old", "DATE_OUT_OF_WINDOW", received(), now=NOW + 301),
        refused("date-301-seconds-ahead", "DATE_OUT_OF_WINDOW", received(), now=NOW - 301),
        refused("date-ten-years-old", "DATE_OUT_OF_WINDOW", received(), now=NOW + 315_360_000),
        refused("date-year-0001", "INVALID_DATE", received(date="Mon, 01 Jan 0001 00:00:00 GMT")),
        refused("date-year-9999", "DATE_OUT_OF_WINDOW", received(date="Fri, 31 Dec 9999 23:59:59 GMT")),
        refused("x-date-old-date-fresh", "DATE_OUT_OF_WINDOW", added(received(names=x_get, date="Mon, 01 Jan 2024 11:04:05 GMT"), ["date", DATE])),
    ]


def bad_bodies():
    post = received("POST", names=POST)
    same_length = BODY.replace("x", "y")
    shorter = {"kind": "digest", "sha256": DIGEST, "length": len(BODY) - 1}
    other = base64.b64encode(hashlib.sha256(same_length.encode()).digest()).decode()
    return [
        refused("body-longer", "LENGTH_MISMATCH", changed(post, body={"kind": "text", "text": BODY + " "})),
        refused("body-cut", "LENGTH_MISMATCH", changed(post, body={"kind": "text", "text": BODY[:-1]})),
        refused("body-gone", "LENGTH_MISMATCH", changed(post, body={"kind": "empty"})),
        refused("body-digest-length", "LENGTH_MISMATCH", changed(post, body=shorter)),
        refused("body-changed", "DIGEST_MISMATCH", changed(post, body={"kind": "text", "text": same_length})),
        refused("body-digest-changed", "DIGEST_MISMATCH", changed(post, body={"kind": "digest", "sha256": other, "length": len(BODY)})),
    ]


def bad_signatures():
    def flip(value):
        head, mark, tail = value.rpartition('signature="')
        data = bytearray(base64.b64decode(tail[:-1]))
        data[100] ^= 1
        return head + mark + base64.b64encode(data).decode() + '"'

    def replace(text):
        return lambda value: value.rpartition('signature="')[0] + f'signature="{text}"'

    get, post = received(), received("POST", names=POST)
    other_date = DATE.replace("04:05", "04:06")
    return [
        refused("other-key", "SIGNATURE_MISMATCH", get, key="other-key.pub.pem"),
        refused("signed-by-other-key", "SIGNATURE_MISMATCH", received(key="other-key.pem")),
        refused("signature-bit-flipped", "SIGNATURE_MISMATCH", changed(get, ("authorization", flip))),
        refused("signature-short", "SIGNATURE_MISMATCH", changed(get, ("authorization", replace("AAAA")))),
        refused("signature-zeros", "SIGNATURE_MISMATCH", changed(get, ("authorization", replace(base64.b64encode(bytes(256)).decode())))),
        refused("signature-ones", "SIGNATURE_MISMATCH", changed(get, ("authorization", replace(base64.b64encode(b"\xff" * 256).decode())))),
        refused("signature-long", "SIGNATURE_MISMATCH", changed(get, ("authorization", replace(base64.b64encode(bytes(1024)).decode())))),
        refused("signature-of-another-request", "SIGNATURE_MISMATCH", changed(get, ("authorization", received("DELETE")["headers"][-1][1]))),
        refused("path-changed", "SIGNATURE_MISMATCH", changed(get, url=f"https://{HOST}/20160918/volumes?limit=10")),
        refused("query-changed", "SIGNATURE_MISMATCH", changed(get, url=get["url"] + "0")),
        refused("query-reordered", "SIGNATURE_MISMATCH", changed(get, url=f"https://{HOST}/20160918/instances?limit=10&compartmentId=ocid1.compartment.oc1..aaaa")),
        refused("percent-case-changed", "SIGNATURE_MISMATCH", changed(received(url=f"https://{HOST}/a%2fb"), url=f"https://{HOST}/a%2Fb")),
        refused("method-changed", "SIGNATURE_MISMATCH", changed(get, method="HEAD")),
        refused("host-changed", "SIGNATURE_MISMATCH", changed(get, ("host", "evil.example.com"))),
        refused("date-changed", "SIGNATURE_MISMATCH", changed(get, ("date", other_date))),
        refused("content-type-changed", "SIGNATURE_MISMATCH", changed(post, ("content-type", "text/plain"))),
        refused("body-and-its-headers-changed", "SIGNATURE_MISMATCH", replaced_body(post)),
        refused("list-reordered", "SIGNATURE_MISMATCH", received(shown="(request-target) date host")),
        refused("weekday-changed", "SIGNATURE_MISMATCH", changed(get, ("date", DATE.replace("Mon", "Tue")))),
    ]


def replaced_body(request):
    digest = base64.b64encode(hashlib.sha256(b"{}").digest()).decode()
    return changed(
        request, ("content-length", "2"), ("x-content-sha256", digest), body={"kind": "text", "text": "{}"}
    )


def bad_requests():
    get = received()
    return [
        refused("host-not-expected", "HOST_MISMATCH", get, expected_host="iaas.us-ashburn-1.oraclecloud.com"),
        refused("host-port-not-expected", "HOST_MISMATCH", received(host="h.example.com:8443"), expected_host="h.example.com"),
        refused("host-expected-is-longer", "HOST_MISMATCH", get, expected_host=HOST + ".evil.example"),
        refused("url-user-info", "INVALID_URL", changed(get, url=f"https://user@{HOST}{PATH}")),
        refused("url-not-absolute", "INVALID_URL", changed(get, url=PATH)),
        refused("url-space", "INVALID_URL", changed(get, url=f"https://{HOST}/a b")),
        refused("method-not-a-token", "INVALID_METHOD", changed(get, method="GE T")),
    ]
