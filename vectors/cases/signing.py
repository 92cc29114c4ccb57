"""Signing cases: valid ones of our rule, and input that is refused."""

import base64
import hashlib

KEY_ID = (
    "ocid1.tenancy.oc1..aaaaaaaatesttenancy/ocid1.user.oc1..aaaaaaaatestuser/"
    "e2:be:6e:c2:61:b6:a0:e5:6b:3e:a9:03:8c:0a:28:ee"
)
TOKEN_KEY_ID = "ST$eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ0ZXN0In0.c2lnbmF0dXJl"
NOW = 1_704_110_645  # Mon, 01 Jan 2024 12:04:05 GMT
DATE = "Mon, 01 Jan 2024 12:04:05 GMT"
HOST = "iaas.us-phoenix-1.oraclecloud.com"
URL = f"https://{HOST}/20160918/instances"
EMPTY = {"kind": "empty"}
JSON_TEXT = '{"a":1}'
JSON_BODY = {"kind": "text", "text": JSON_TEXT}
MAX_BYTES = 65_536


def sha256(data):
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def case(id, group, method="GET", url=URL, headers=(), body=EMPTY, now=NOW, date_header=None, **credential):
    request = {"method": method, "url": url, "headers": [h if isinstance(h, dict) else list(h) for h in headers], "body": body}
    if date_header:
        request["date_header"] = date_header
    return {
        "id": id,
        "group": group,
        "source": "rule",
        "request": request,
        "credential": {"key": "test-key.pem", "key_id": KEY_ID, **credential},
        "now": now,
    }


def refused(id, group, error, character=None, offset=None, header=None, **rest):
    expectation = {"result": "invalid", "error": error}
    if character is not None:
        expectation |= {"character": character, "offset": offset}
    if header is not None:
        expectation["header"] = header
    return case(id, group, **rest) | expectation


def rules():
    return [*urls(), *hosts(), *dates(), *header_cases(), *bodies(), *methods(), *limits()]


def urls():
    printable = "".join(map(chr, range(0x21, 0x7F))).replace("#", "")
    base = f"https://{HOST}"
    cases = {
        "path-all-printable": f"{base}/{printable.replace('?', '')}",
        "query-all-printable": f"{base}/a?{printable}",
        "path-backslash": f"{base}/a\\b",
        "path-backtick-caret": f"{base}/a`b^c",
        "path-only-percent": f"{base}/%",
        "path-colon-at": f"{base}/a:b@c",
        "path-dots-only": f"{base}/../..",
        "path-double-slash-first": f"{base}//a",
        "path-none-before-query": f"{base}?a=1",
        "path-none-before-bare-question": f"{base}?",
        "path-none-before-fragment": f"{base}#top",
        "query-backslash-quote": f'{base}/a?b=\\"c"',
        "query-at": f"{base}/a?user@example.com",
        "query-none-before-at": f"{base}?user@example.com",
        "query-order-kept": f"{base}/a?z=1&a=2&m=3&A=4",
        "fragment-after-path": f"{base}/a#b",
        "fragment-after-query": f"{base}/a?b=c#d?e=f",
        "fragment-empty": f"{base}/a#",
        "fragment-with-slash-at": f"{base}#/a@b",
        "fragment-second-hash": f"{base}/a#b#c",
    }
    return [case("url-" + id, "url", url=url) for id, url in cases.items()]


def hosts():
    cases = {
        "https-443": "https://h.example.com:443/a",
        "https-80": "https://h.example.com:80/a",
        "https-8443": "https://h.example.com:8443/a",
        "http-80": "http://h.example.com:80/a",
        "http-443": "http://h.example.com:443/a",
        "http-empty-port": "http://h.example.com:/a",
        "empty-port-no-path": "https://h.example.com:",
        "port-65535": "https://h.example.com:65535/a",
        "port-before-query": "https://h.example.com:8443?a=1",
        "ipv4-port": "http://127.0.0.1:8080/a",
        "ipv6": "https://[2001:db8::1]/a",
        "ipv6-443": "https://[2001:db8::1]:443/a",
        "ipv6-8443": "https://[2001:db8::1]:8443/a",
        "ipv6-empty-port": "https://[2001:db8::1]:/a",
        "ipv6-case-kept": "http://[2001:DB8::AbCd]/a",
        "ipv6-with-ipv4": "http://[::ffff:192.0.2.1]:80/a",
        "scheme-mixed-case": "HtTpS://h.example.com/a",
        "scheme-upper-http-80": "HTTP://h.example.com:80/a",
        "case-kept": "https://H.Example.COM:8443/a",
        "underscore": "https://my_ns.example.com/a",
        "one-label": "http://localhost/a",
        "punycode": "https://xn--bcher-kva.example/a",
    }
    found = [case("host-" + id, "host", url=url) for id, url in cases.items()]
    given = {
        "given": [["host", "proxy.example.com"]],
        "given-default-port-kept": [["host", "proxy.example.com:443"]],
        "given-case-kept": [["Host", "Proxy.Example.COM"]],
        "given-trimmed": [["HOST", " \tproxy.example.com\t "]],
    }
    return found + [case("host-" + id, "host", headers=headers) for id, headers in given.items()]


def dates():
    moments = {
        "epoch": 0,
        "one-digit-day": 1_704_110_645,
        "last-second-of-year": 1_704_067_199,
        "leap-day-2024": 1_709_164_800,
        "leap-day-2000": 951_827_696,
        "no-leap-day-2100": 4_107_542_400,
        "after-32-bits": 2_147_483_648,
        "last-of-all": 253_402_300_799,
    }
    found = [case("date-now-" + id, "date", now=now) for id, now in moments.items()]
    post = {"method": "POST", "body": JSON_BODY}
    return found + [
        case("date-given", "date", headers=[["date", "Tue, 02 Jan 2024 03:04:05 GMT"]]),
        case("date-given-opaque", "date", headers=[["Date", "yesterday, about noon"]]),
        case("date-given-trimmed", "date", headers=[["DATE", f" \t{DATE} "]]),
        case("date-given-late-now", "date", headers=[["date", DATE]], now=253_402_300_800),
        case("date-given-x-date-asked", "date", headers=[["date", DATE]], date_header="x-date"),
        case("x-date-given", "date", headers=[["X-Date", DATE]]),
        case("x-date-given-late-now", "date", headers=[["x-date", DATE]], now=253_402_300_800),
        case("x-date-and-date", "date", headers=[["date", "Tue, 02 Jan 2024 03:04:05 GMT"], ["x-date", DATE]]),
        case("x-date-and-two-dates", "date", headers=[["date", "one"], ["x-date", DATE], ["date", "two"]]),
        case("x-date-and-bad-date", "date", headers=[["date", "\u00e9\t\u0001"], ["x-date", DATE]]),
        case("x-date-asked", "date", date_header="x-date"),
        case("x-date-asked-post", "date", date_header="x-date", **post),
        case("date-asked", "date", date_header="date"),
    ]


def header_cases():
    post = {"method": "POST", "body": JSON_BODY}
    digest = sha256(JSON_TEXT.encode())
    token = {"key_id": TOKEN_KEY_ID, "delegation_token": "DELEGATION.TOKEN.VALUE"}
    return [
        case("content-type-trimmed", "headers", headers=[["content-type", " \ttext/plain; charset=utf-8 \t"]], **post),
        case("content-type-empty", "headers", headers=[["content-type", ""]], **post),
        case("content-type-blank", "headers", headers=[["Content-Type", " \t "]], **post),
        case("content-type-case-kept", "headers", headers=[["CONTENT-TYPE", "Application/Json"]], **post),
        case("content-type-empty-unsigned-body", "headers", method="PUT", headers=[["content-type", ""]], body={"kind": "unsigned"}),
        case("content-type-twice-on-get", "headers", headers=[["content-type", "a/b"], ["content-type", "c/d"]]),
        case("content-type-twice-unsigned-body", "headers", method="PUT", headers=[["content-type", "a/b"], ["content-type", "c/d"]], body={"kind": "unsigned"}),
        case("content-length-given", "headers", headers=[["Content-Length", "7"]], **post),
        case("content-length-given-blanks", "headers", headers=[["content-length", " 7 "]], **post),
        case("content-length-wrong-on-get", "headers", headers=[["content-length", "99"]]),
        case("content-length-wrong-unsigned-body", "headers", method="PUT", headers=[["content-length", "99"]], body={"kind": "unsigned"}),
        case("x-content-sha256-given", "headers", headers=[["X-Content-SHA256", digest]], **post),
        case("x-content-sha256-wrong-on-delete", "headers", method="DELETE", headers=[["x-content-sha256", "AAAA"]]),
        case("all-given-mixed-order", "headers", headers=[["x-content-sha256", digest], ["content-type", "text/json"], ["host", "h.example.com"], ["content-length", "7"], ["date", DATE]], **post),
        case("unsigned-twice", "headers", headers=[["accept", "a/b"], ["accept", "c/d"], ["if-match", "x"], ["if-match", "x"]]),
        case("unsigned-non-ascii", "headers", headers=[["opc-meta-name", "\u65e5\u672c\u8a9e"], ["opc-meta-tab", "a\tb"]]),
        case("unsigned-odd-names", "headers", headers=[["!#$%&'*+-.^_`|~09azAZ", "x"]]),
        case("unsigned-cross-tenancy-subscription", "headers", headers=[["x-cross-tenancy-request", "ocid1.tenancy.oc1..bbbb"], ["x-subscription", "ocid1.subscription.oc1..cccc"]], **post),
        case("authorization-replaced", "headers", headers=[["Authorization", "Bearer abc"]]),
        case("authorization-replaced-empty", "headers", headers=[["authorization", ""]]),
        case("delegation-get", "headers", **token),
        case("delegation-delete-x-date", "headers", method="DELETE", date_header="x-date", **token),
        case("delegation-post", "headers", **post, **token),
        case("delegation-put-unsigned-body", "headers", method="PUT", body={"kind": "unsigned"}, **token),
        case("delegation-with-api-key", "headers", delegation_token="DELEGATION.TOKEN.VALUE"),
        case("token-not-expired", "headers", key_id=TOKEN_KEY_ID, expires=NOW + 1),
        case("token-expires-late", "headers", key_id=TOKEN_KEY_ID, expires=9_007_199_254_740_991),
    ]


def bodies():
    text = "0123456789abcdef" * 640
    large = 1 << 40
    return [
        case("body-digest", "body", "PUT", headers=[["content-type", "application/octet-stream"]], body={"kind": "digest", "sha256": sha256(b"data"), "length": 4}),
        case("body-digest-1-tib", "body", "PUT", body={"kind": "digest", "sha256": sha256(b"imagine"), "length": large}),
        case("body-digest-length-given", "body", "POST", headers=[["content-length", "4"], ["x-content-sha256", sha256(b"data")]], body={"kind": "digest", "sha256": sha256(b"data"), "length": 4}),
        case("body-digest-of-nothing", "body", "PATCH", body={"kind": "digest", "sha256": sha256(b""), "length": 0}),
        case("body-digest-on-get", "body", "GET", body={"kind": "digest", "sha256": sha256(b"data"), "length": 4}),
        case("body-repeat-10-kb", "body", "POST", headers=[["content-type", "text/plain"]], body={"kind": "repeat", "unit": text[:16], "count": 640}),
        case("body-repeat-non-ascii", "body", "POST", body={"kind": "repeat", "unit": "\u00e9", "count": 1000}),
        case("body-base64-all-bytes", "body", "PUT", body={"kind": "base64", "base64": base64.b64encode(bytes(range(256))).decode()}),
        case("body-text-crlf-nul", "body", "POST", body={"kind": "text", "text": "a\r\nb\u0000c"}),
        case("body-text-emoji", "body", "POST", body={"kind": "text", "text": "\U0001f600"}),
        case("body-empty-post", "body", "POST"),
        case("body-empty-put", "body", "PUT", headers=[["content-length", "0"]]),
        case("body-empty-patch", "body", "PATCH"),
        case("body-unsigned-post", "body", "POST", body={"kind": "unsigned"}),
        case("body-unsigned-patch-lower", "body", "patch", body={"kind": "unsigned"}),
        case("body-unsigned-get", "body", "GET", body={"kind": "unsigned"}),
        case("body-text-on-get", "body", "GET", headers=[["content-type", "text/plain"]], body=JSON_BODY),
        case("body-text-on-delete", "body", "DELETE", headers=[["content-length", "7"]], body=JSON_BODY),
        case("body-base64-on-head", "body", "HEAD", body={"kind": "base64", "base64": "AAEC"}),
    ]


def methods():
    found = [
        case("method-" + method, "method", method)
        for method in ("head", "dElEtE", "options", "TRACE", "PROPFIND", "M-SEARCH", "X", "!#$%&'*+-.^_`|~9")
    ]
    return found + [
        case("method-lower-" + method, "method", method, body=JSON_BODY) for method in ("post", "put", "patch")
    ] + [
        case("method-postx", "method", "POSTX", body=JSON_BODY),
    ]


def limits():
    prefix = "https://h.example.com/"
    return [
        case("limit-url", "limit", url={"concat": [prefix, {"repeat": ["a", MAX_BYTES - len(prefix)]}]}),
        case("limit-headers", "limit", headers=[{"repeat": [["accept", "*/*"], 1000]}]),
        case("limit-header-value", "limit", headers=[["accept", {"repeat": ["a", MAX_BYTES - 6]}]]),
        case("limit-signed-value", "limit", "POST", headers=[["content-type", {"repeat": ["a", MAX_BYTES - 12]}]], body=JSON_BODY),
    ]


def invalid():
    return [*bad_urls(), *bad_methods(), *bad_headers(), *over_limits(), *bad_times()]


def bad_urls():
    base = "https://h.example.com"
    at = len(base)
    cases = [
        ("tab-in-path", f"{base}/a\tb", "\t", at + 2),
        ("newline-in-path", f"{base}/a\nb", "\n", at + 2),
        ("return-in-path", f"{base}/a\rb", "\r", at + 2),
        ("nul-in-path", f"{base}/a\0b", "\0", at + 2),
        ("unit-separator-in-path", f"{base}/\x1f", "\x1f", at + 1),
        ("space-in-path", f"{base}/a b", " ", at + 2),
        ("del-in-path", f"{base}/a\x7fb", "\x7f", at + 2),
        ("non-ascii-in-path", f"{base}/caf\u00e9", "\u00e9", at + 4),
        ("emoji-in-path", f"{base}/\U0001f600", "\U0001f600", at + 1),
        ("space-in-query", f"{base}/a?b=c d", " ", at + 6),
        ("tab-in-query", f"{base}/a?\t", "\t", at + 3),
        ("newline-in-query", f"{base}/a?b\r\nx-evil: 1", "\r", at + 4),
        ("del-in-query", f"{base}/a?\x7f", "\x7f", at + 3),
        ("non-ascii-in-query", f"{base}/a?b=\u65e5\u672c", "\u65e5", at + 5),
        ("c1-control-in-query", f"{base}/a?\u0085", "\u0085", at + 3),
        ("space-in-fragment", f"{base}/a#b c", " ", at + 4),
        ("space-first", f" {base}/", " ", 0),
        ("newline-last", f"{base}/\n", "\n", at + 1),
        ("bom-first", f"\ufeff{base}/", "\ufeff", 0),
        ("space-in-host", "https://h example.com/", " ", 9),
        ("tab-in-host", "https://h\t.example.com/", "\t", 9),
        ("newline-in-host", "https://h\n.example.com/", "\n", 9),
        ("non-ascii-in-host", "https://b\u00fccher.example/", "\u00fc", 9),
        ("non-ascii-dot-in-host", "https://h\u3002example.com/", "\u3002", 9),
        ("backslash-in-host", "https://h\\example.com/", "\\", 9),
        ("angle-in-host", "https://h<b>.example.com/", "<", 9),
        ("caret-in-host", "https://h^.example.com/", "^", 9),
        ("pipe-in-host", "https://h|.example.com/", "|", 9),
        ("quote-in-host", 'https://h".example.com/', '"', 9),
        ("brace-in-host", "https://{region}.example.com/", "{", 8),
        ("bracket-in-host", "https://h[1].example.com/", "[", 9),
        ("user-info", "https://user@h.example.com/", "@", 12),
        ("user-info-password", "https://user:pass@h.example.com/", "@", 17),
        ("user-info-empty", "https://@h.example.com/", "@", 8),
        ("user-info-no-host", "https://user@", "@", 12),
        ("port-letter", f"{base}:x/", "x", at + 1),
        ("port-letter-later", f"{base}:80a/", "a", at + 3),
        ("port-minus", f"{base}:-1/", "-", at + 1),
        ("port-two", f"{base}:80:90/", ":", at + 3),
        ("port-65536", f"{base}:65536/", None, None),
        ("port-huge", f"{base}:99999999999999999999/", None, None),
        ("ipv6-unclosed", "https://[::1/", None, None),
        ("ipv6-empty", "https://[]/", None, None),
        ("ipv6-not-an-address", "https://[h.example.com]/", None, None),
        ("ipv6-is-ipv4", "https://[127.0.0.1]/", None, None),
        ("ipv6-too-many-groups", "https://[1:2:3:4:5:6:7:8:9]/", None, None),
        ("ipv6-zone", "https://[fe80::1%25eth0]/", None, None),
        ("ipv6-text-after", "https://[::1]x/", "x", 13),
        ("ipv6-bare", "https://::1/", None, None),
        ("no-host", "https:///a", None, None),
        ("no-host-no-path", "https://", None, None),
        ("no-host-port", "https://:443/a", None, None),
        ("no-host-query", "https://?a=1", None, None),
        ("no-host-fragment", "https://#a", None, None),
        ("one-slash", "https:/h.example.com/a", None, None),
        ("no-slash", "https:h.example.com/a", None, None),
        ("no-scheme", "//h.example.com/a", None, None),
        ("empty-scheme", "://h.example.com/a", None, None),
        ("only-path", "/20160918/instances", None, None),
        ("only-host", "h.example.com", None, None),
        ("ftp", "ftp://h.example.com/a", None, None),
        ("httpss", "httpss://h.example.com/a", None, None),
        ("ws", "wss://h.example.com/a", None, None),
        ("file", "file:///etc/hosts", None, None),
        ("backslashes-after-scheme", "https:\\\\h.example.com\\a", None, None),
        ("empty", "", None, None),
    ]
    return [
        refused("url-" + id, "url", "INVALID_URL", character, offset, url=url)
        for id, url, character, offset in cases
    ]


def bad_methods():
    cases = {
        "empty": "",
        "space-inside": "GE T",
        "space-after": "GET ",
        "newline": "GET\n",
        "non-ascii": "G\u00cbT",
        "control": "GET\u0000",
        "slash": "GET/",
        "colon": "GET:",
        "quote": '"GET"',
    }
    return [refused("method-" + id, "method", "INVALID_METHOD", method=method) for id, method in cases.items()]


def bad_headers():
    def bad(id, *headers, header=None, **rest):
        return refused("header-" + id, "header", "INVALID_HEADER", header=header, headers=headers, **rest)

    post = {"method": "POST", "body": JSON_BODY}
    return [
        bad("name-empty", ["", "x"]),
        bad("name-space", ["x y", "x"], header="x"),
        bad("name-colon", ["x:", "x"], header="x"),
        bad("name-space-after", ["Accept ", "x"], header="accept"),
        bad("name-newline", ["x\ny", "x"], header="x"),
        bad("name-non-ascii", ["caf\u00e9", "x"], header="caf"),
        bad("name-pseudo", ["(request-target)", "get /evil"]),
        bad("content-type-non-ascii", ["content-type", "text/caf\u00e9"], header="content-type", **post),
        bad("content-type-newline", ["Content-Type", "text/plain\nx-evil: 1"], header="content-type", **post),
        bad("content-type-newline-last", ["content-type", "text/plain\r\n"], header="content-type", **post),
        bad("content-type-nul", ["content-type", "text/\u0000plain"], header="content-type", **post),
        bad("content-type-del", ["content-type", "text/\u007fplain"], header="content-type", **post),
        bad("content-type-inner-tab", ["content-type", "text/plain;\tcharset=utf-8"], header="content-type", **post),
        bad("date-inner-tab", ["date", "Mon,\t01 Jan 2024 12:04:05 GMT"], header="date"),
        bad("date-non-ascii", ["date", "lun. 1\u00a0janv. 2024"], header="date"),
        bad("date-newline", ["date", f"{DATE}\nhost: evil"], header="date"),
        bad("x-date-newline", ["x-date", f"{DATE}\nhost: evil"], header="x-date"),
        bad("host-newline", ["host", "h.example.com\nx: y"], header="host"),
        bad("host-non-ascii", ["host", "b\u00fccher.example"], header="host"),
        bad("date-twice", ["date", DATE], ["Date", DATE], header="date"),
        bad("x-date-twice", ["x-date", DATE], ["X-Date", DATE], header="x-date"),
        bad("host-twice", ["host", "h.example.com"], ["Host", "h.example.com"], header="host"),
        bad("authorization-twice", ["authorization", "a"], ["Authorization", "b"], header="authorization"),
        bad("content-type-twice", ["content-type", "a/b"], ["Content-Type", "a/b"], header="content-type", **post),
        bad("content-type-twice-one-empty", ["content-type", ""], ["content-type", "a/b"], header="content-type", **post),
        bad("content-length-twice", ["content-length", "7"], ["Content-Length", "7"], header="content-length", **post),
        bad("x-content-sha256-twice", ["x-content-sha256", "a"], ["X-Content-Sha256", "a"], header="x-content-sha256", **post),
        bad("opc-obo-token-given", ["opc-obo-token", "a.b.c"], header="opc-obo-token"),
        bad("opc-obo-token-given-mixed-case", ["Opc-Obo-Token", "a.b.c"], header="opc-obo-token", **post),
        bad("opc-obo-token-given-and-delegation", ["opc-obo-token", "a.b.c"], header="opc-obo-token", delegation_token="a.b.c"),
        bad("content-length-wrong", ["content-length", "8"], header="content-length", **post),
        bad("content-length-of-no-body", ["content-length", "1"], header="content-length", method="PUT"),
        bad("content-length-characters", ["content-length", "1"], header="content-length", method="POST", body={"kind": "text", "text": "\u00e9"}),
        bad("content-length-word", ["content-length", "seven"], header="content-length", **post),
        bad("content-length-plus", ["content-length", "+7"], header="content-length", **post),
        bad("content-length-hex", ["content-length", "0x7"], header="content-length", **post),
        bad("content-length-fraction", ["content-length", "7.0"], header="content-length", **post),
        bad("content-length-list", ["content-length", "7, 7"], header="content-length", **post),
        bad("content-length-empty", ["content-length", ""], header="content-length", **post),
        bad("content-length-huge", ["content-length", "18446744073709551623"], header="content-length", **post),
        bad("content-length-digest", ["content-length", "5"], header="content-length", method="PUT", body={"kind": "digest", "sha256": sha256(b"data"), "length": 4}),
        bad("x-content-sha256-wrong", ["x-content-sha256", sha256(b"other")], header="x-content-sha256", **post),
        bad("x-content-sha256-unpadded", ["x-content-sha256", sha256(JSON_TEXT.encode()).rstrip("=")], header="x-content-sha256", **post),
        bad("x-content-sha256-hex", ["x-content-sha256", hashlib.sha256(JSON_TEXT.encode()).hexdigest()], header="x-content-sha256", **post),
        bad("x-content-sha256-empty", ["x-content-sha256", ""], header="x-content-sha256", **post),
        bad("x-content-sha256-digest", ["x-content-sha256", sha256(b"other")], header="x-content-sha256", method="PUT", body={"kind": "digest", "sha256": sha256(b"data"), "length": 4}),
    ]


def over_limits():
    prefix = "https://h.example.com/"
    return [
        refused("limit-url-one-over", "limit", "INVALID_URL", url={"concat": [prefix, {"repeat": ["a", MAX_BYTES - len(prefix) + 1]}]}),
        refused("limit-url-1-mb", "limit", "INVALID_URL", url={"concat": [prefix, {"repeat": ["a", 1_000_000]}]}),
        refused("limit-url-1-mb-query", "limit", "INVALID_URL", url={"concat": [prefix + "?", {"repeat": ["a=1&", 250_000]}]}),
        refused("limit-url-1-mb-host", "limit", "INVALID_URL", url={"concat": ["https://", {"repeat": ["a.", 500_000]}, "example.com/"]}),
        refused("limit-1001-headers", "limit", "INVALID_HEADER", headers=[{"repeat": [["accept", "*/*"], 1001]}]),
        refused("limit-100000-headers", "limit", "INVALID_HEADER", headers=[{"repeat": [["accept", "*/*"], 100_000]}]),
        refused("limit-header-one-over", "limit", "INVALID_HEADER", header="accept", headers=[["accept", {"repeat": ["a", MAX_BYTES - 5]}]]),
        refused("limit-header-non-ascii", "limit", "INVALID_HEADER", header="accept", headers=[["accept", {"repeat": ["\u00e9", MAX_BYTES // 2]}]]),
        refused("limit-header-1-mb", "limit", "INVALID_HEADER", header="accept", headers=[["Accept", {"repeat": ["a", 1_000_000]}]]),
        refused("limit-header-1-mb-signed", "limit", "INVALID_HEADER", header="content-type", method="POST", headers=[["content-type", {"repeat": ["a", 1_000_000]}]], body=JSON_BODY),
    ]


def bad_times():
    return [
        refused("expired-now", "time", "EXPIRED", key_id=TOKEN_KEY_ID, expires=NOW),
        refused("expired-before", "time", "EXPIRED", key_id=TOKEN_KEY_ID, expires=NOW - 1),
        refused("expired-long-before", "time", "EXPIRED", key_id=TOKEN_KEY_ID, expires=0),
        refused("year-10000", "time", "INVALID_DATE", now=253_402_300_800),
        refused("year-10000-x-date-asked", "time", "INVALID_DATE", now=253_402_300_800, date_header="x-date"),
        refused("year-far", "time", "INVALID_DATE", now=9_007_199_254_740_991),
    ]
