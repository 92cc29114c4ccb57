"""Private key texts, and what is made of each."""

import base64

import make_keys
from make_keys import NON_ASCII_PASSPHRASE, PASSPHRASE

TEST_KEY_FACTS = {"result": "valid", "bits": 2048, "fingerprint": "e2:be:6e:c2:61:b6:a0:e5:6b:3e:a9:03:8c:0a:28:ee"}
MAX_BYTES = 65_536


def cases():
    return [*official(), *encrypted(), *shapes(), *not_keys(), *sizes(), *broken()]


def key(id, group, source, reason=None, passphrase=None, allow_weak_key=False, facts=None, sdks=None):
    """One case; `source` is a file under keys/ or a dictionary with the text."""
    found = {"id": id, "group": group, "source": "rule"}
    found |= {"file": source} if isinstance(source, str) else source
    if passphrase is not None:
        found["passphrase"] = passphrase
    if allow_weak_key:
        found["allow_weak_key"] = True
    if sdks:
        found["sdks"] = dict(zip(("python", "node", "ruby"), sdks.split()))
    if reason:
        return found | {"result": "invalid", "error": "INVALID_KEY", "reason": reason}
    return found | (facts or TEST_KEY_FACTS)


def pem(text):
    return {"pem": text}


def official():
    """The texts that the official loaders were tried on."""
    plain = make_keys.read("test-key.pem")
    certificate = make_keys.read("test-key.cert.pem")
    yes, no = "valid valid valid", "invalid invalid invalid"
    return [
        key("pkcs1", "official", "test-key.pem", sdks=yes),
        key("pkcs8", "official", "test-key.pkcs8.pem", sdks=yes),
        key("pkcs1-no-final-newline", "official", pem(plain.rstrip("\n")), sdks=yes),
        key("trailing-OCI_API_KEY", "official", pem(plain + "OCI_API_KEY\n"), sdks=yes),
        key("leading-text", "official", pem("Bag Attributes\n    friendlyName: test\n" + plain), sdks="valid invalid valid"),
        key("pkcs1-encrypted+pass", "official", "test-key.pkcs1-enc.pem", passphrase=PASSPHRASE, sdks=yes),
        key("pkcs8-encrypted+pass", "official", "test-key.pkcs8-enc.pem", passphrase=PASSPHRASE, sdks=yes),
        key("pkcs1-encrypted+wrong", "official", "test-key.pkcs1-enc.pem", "passphrase-wrong", passphrase="wrong", sdks=no),
        key("pkcs8-encrypted+wrong", "official", "test-key.pkcs8-enc.pem", "passphrase-wrong", passphrase="wrong", sdks=no),
        key("pkcs1-encrypted+none", "official", "test-key.pkcs1-enc.pem", "passphrase-missing", sdks=no),
        key("plain+unneeded-pass", "official", "test-key.pem", passphrase="whatever", sdks=yes),
        key("ec-key", "official", "ec-p256.pkcs8.pem", "not-rsa", sdks="valid valid invalid"),
        key("cert-then-key", "official", pem(certificate + plain), sdks=yes),
    ]


def encrypted():
    for name in [*make_keys.PKCS8, *(f"legacy-{cipher}" for cipher in make_keys.LEGACY)]:
        file = f"test-key.{name}.pem"
        yield key(name, "encrypted", file, passphrase=PASSPHRASE)
        yield key(name + "+wrong", "encrypted", file, "passphrase-wrong", passphrase="wrong")
        yield key(name + "+none", "encrypted", file, "passphrase-missing")
    legacy = make_keys.read("test-key.legacy-aes256.pem")
    modern = make_keys.read("test-key.pbkdf2-sha256-aes256.pem")
    yield key("non-ascii-passphrase", "encrypted", "test-key.pbkdf2-sha256-non-ascii.pem", passphrase=NON_ASCII_PASSPHRASE)
    yield key("non-ascii-passphrase+wrong", "encrypted", "test-key.pbkdf2-sha256-non-ascii.pem", "passphrase-wrong", passphrase="passwoerd")
    yield key("legacy-crlf", "encrypted", pem(legacy.replace("\n", "\r\n")), passphrase=PASSPHRASE)
    yield key("legacy-escaped", "encrypted", pem(legacy.replace("\n", "\\n")), passphrase=PASSPHRASE)
    yield key("legacy-no-final-newline", "encrypted", pem(legacy.rstrip("\n")), passphrase=PASSPHRASE)
    yield key("pkcs8-encrypted-crlf", "encrypted", pem(modern.replace("\n", "\r\n")), passphrase=PASSPHRASE)
    yield key("pkcs8-encrypted-escaped", "encrypted", pem(modern.replace("\n", "\\n")), passphrase=PASSPHRASE)
    yield key("pkcs8-encrypted-trailing-OCI_API_KEY", "encrypted", pem(modern + "OCI_API_KEY"), passphrase=PASSPHRASE)
    yield key("passphrase-not-trimmed", "encrypted", "test-key.pkcs8-enc.pem", "passphrase-wrong", passphrase=PASSPHRASE + "\n")
    yield key("legacy-des-cbc", "encrypted", pem(legacy.replace("AES-256-CBC", "DES-CBC")), "unsupported", passphrase=PASSPHRASE)
    yield key("pbes1", "encrypted", "test-key.pbes1-sha1-3des.pem", "unsupported", passphrase=PASSPHRASE)
    yield key("pbkdf2-2-billion-rounds", "encrypted", pem(costly_pbkdf2()), "too-large", passphrase=PASSPHRASE)
    yield key("scrypt-1-tib", "encrypted", pem(costly_scrypt()), "too-large", passphrase=PASSPHRASE)


def shapes():
    plain = make_keys.read("test-key.pem")
    pkcs8 = make_keys.read("test-key.pkcs8.pem")
    return [
        key("crlf", "shape", pem(plain.replace("\n", "\r\n"))),
        key("crlf-no-final-newline", "shape", pem(plain.rstrip("\n").replace("\n", "\r\n"))),
        key("pkcs8-crlf", "shape", pem(pkcs8.replace("\n", "\r\n"))),
        key("pkcs8-no-final-newline", "shape", pem(pkcs8.rstrip("\n"))),
        key("escaped", "shape", pem(plain.replace("\n", "\\n"))),
        key("escaped-no-final", "shape", pem(plain.rstrip("\n").replace("\n", "\\n"))),
        key("escaped-and-final-newline", "shape", pem(plain.rstrip("\n").replace("\n", "\\n") + "\n")),
        key("pkcs8-escaped", "shape", pem(pkcs8.replace("\n", "\\n"))),
        key("trailing-OCI_API_KEY-no-newline", "shape", pem(plain.rstrip("\n") + "\nOCI_API_KEY")),
        key("trailing-OCI_API_KEY-crlf", "shape", pem((plain + "OCI_API_KEY\n").replace("\n", "\r\n"))),
        key("text-on-both-sides", "shape", pem("the key of test\n\n" + pkcs8 + "\nthat was it\n")),
        key("blank-lines-around", "shape", pem("\n\n" + plain + "\n\n")),
        key("bom", "shape", pem("\ufeff" + plain)),
        key("public-then-private", "shape", pem(make_keys.read("test-key.pub.pem") + plain)),
        key("one-long-line", "shape", pem(one_long_line(plain))),
        key("pkcs8-unneeded-pass", "shape", "test-key.pkcs8.pem", passphrase="whatever"),
    ]


def one_long_line(text):
    lines = text.splitlines()
    return "\n".join([lines[0], "".join(lines[1:-1]), lines[-1], ""])


def not_keys():
    return [
        key("path-absolute", "not-a-key", pem("/home/u/.oci/key.pem"), "path-given"),
        key("path-tilde", "not-a-key", pem("~/.oci/oci_api_key.pem"), "path-given"),
        key("path-newline-after", "not-a-key", pem("~/.oci/oci_api_key.pem\n"), "path-given"),
        key("path-relative", "not-a-key", pem("oci_api_key.pem"), "path-given"),
        key("path-windows", "not-a-key", pem("C:\\Users\\u\\.oci\\oci_api_key.pem"), "path-given"),
        key("path-windows-n", "not-a-key", pem("C:\\Users\\nina\\new\\key.pem"), "path-given"),
        key("public-key", "not-a-key", "test-key.pub.pem", "public-key"),
        key("public-key-pkcs1", "not-a-key", "test-key.pub-pkcs1.pem", "public-key"),
        key("certificate", "not-a-key", "test-key.cert.pem", "certificate"),
        key("ec-sec1", "not-a-key", "ec-p256.sec1.pem", "not-rsa"),
        key("ed25519", "not-a-key", "ed25519.pkcs8.pem", "not-rsa"),
        key("openssh", "not-a-key", "test-key.openssh.pem", "unsupported"),
        key("empty", "not-a-key", pem(""), "not-pem"),
        key("blank", "not-a-key", pem(" \n\t\n"), "not-pem"),
        key("prose", "not-a-key", pem("please ask Nina for the key"), "not-pem"),
        key("json", "not-a-key", pem('{"kty":"RSA","n":"AQAB","e":"AQAB"}'), "not-pem"),
        key("base64-alone", "not-a-key", pem("".join(make_keys.read("test-key.pem").splitlines()[1:-1])), "not-pem"),
        key("end-without-begin", "not-a-key", pem("-----END RSA PRIVATE KEY-----\n"), "not-pem"),
    ]


def sizes():
    weak = {"result": "valid", "bits": 1024, "fingerprint": "73:61:a2:21:67:e0:df:be:7e:4b:93:1e:15:98:a5:b7"}
    plain = make_keys.read("test-key.pem")
    room = MAX_BYTES - len(plain)
    return [
        key("rsa-512", "size", "rsa-512.pem", "too-short"),
        key("rsa-512-allow-weak", "size", "rsa-512.pem", "too-short", allow_weak_key=True),
        key("rsa-1024", "size", "oracle-docs-1024.pem", "too-short"),
        key("rsa-1024-allow-weak", "size", "oracle-docs-1024.pem", allow_weak_key=True, facts=weak),
        key("rsa-2048-allow-weak", "size", "test-key.pem", allow_weak_key=True),
        key("rsa-3072", "size", "rsa-3072.pem", facts=facts_of("rsa-3072.pem", 3072)),
        key("rsa-4096", "size", "rsa-4096.pem", facts=facts_of("rsa-4096.pem", 4096)),
        key("text-65536-bytes", "size", pem({"concat": [plain, {"repeat": ["x", room]}]})),
        key("text-65537-bytes", "size", pem({"concat": [plain, {"repeat": ["x", room + 1]}]}), "too-large"),
        key("text-10-mb", "size", pem({"repeat": ["x", 10_000_000]}), "too-large"),
        key("text-10-mb-after-key", "size", pem({"concat": [plain, {"repeat": ["x", 10_000_000]}]}), "too-large"),
        key("text-10-mb-lines", "size", pem({"repeat": ["-----BEGIN RSA PRIVATE KEY-----\n", 312_500]}), "too-large"),
        key("text-64-kb-of-begin-lines", "size", pem({"repeat": ["-----BEGIN RSA PRIVATE KEY-----\n", 2048]}), "malformed"),
    ]


def facts_of(name, bits):
    import reference

    return {"result": "valid", "bits": bits, "fingerprint": reference.fingerprint(make_keys.private_key(name))}


def broken():
    plain = make_keys.read("test-key.pem")
    lines = plain.splitlines()
    pkcs8 = make_keys.read("test-key.pkcs8.pem").splitlines()
    legacy = make_keys.read("test-key.legacy-aes256.pem")

    def rsa(*content):
        return pem("\n".join([lines[0], *content, lines[-1], ""]))

    return [
        key("begin-without-end", "broken", pem("\n".join(lines[:-1]) + "\n"), "malformed"),
        key("begin-alone", "broken", pem(lines[0]), "malformed"),
        key("begin-and-end-differ", "broken", pem("\n".join([*lines[:-1], "-----END PRIVATE KEY-----", ""])), "malformed"),
        key("nothing-inside", "broken", rsa(), "malformed"),
        key("not-base64", "broken", rsa("this is not base64!"), "malformed"),
        key("base64-cut-in-a-group", "broken", rsa(*lines[1:10], lines[10][:-3]), "malformed"),
        key("base64-cut-between-lines", "broken", rsa(*lines[1:10]), "malformed"),
        key("pkcs8-base64-cut", "broken", pem("\n".join([*pkcs8[:10], pkcs8[-1], ""])), "malformed"),
        key("garbage-der", "broken", rsa(base64.b64encode(bytes(range(1, 200))).decode()), "malformed"),
        key("zeros-der", "broken", rsa(base64.b64encode(bytes(600)).decode()), "malformed"),
        key("pkcs8-garbage-der", "broken", pem(armour("PRIVATE KEY", bytes(range(1, 200)))), "malformed"),
        key("pkcs8-encrypted-garbage-der", "broken", pem(armour("ENCRYPTED PRIVATE KEY", bytes(range(1, 200)))), "malformed", passphrase=PASSPHRASE),
        key("huge-length-der", "broken", pem(armour("RSA PRIVATE KEY", bytes.fromhex("3084ffffffff0201"))), "malformed"),
        key("numbers-do-not-fit", "broken", pem(armour("RSA PRIVATE KEY", spoiled(plain))), "malformed"),
        key("legacy-no-dek-info", "broken", pem("\n".join(line for line in legacy.splitlines() if "DEK-Info" not in line) + "\n"), "malformed", passphrase=PASSPHRASE),
    ]


# --- DER --------------------------------------------------------------------------


def armour(label, data):
    text = base64.b64encode(data).decode()
    rows = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *rows, f"-----END {label}-----", ""])


def spoiled(text):
    """The key with one bit of its first prime turned over."""
    data = bytearray(base64.b64decode("".join(text.splitlines()[1:-1])))
    numbers = make_keys.private_key("test-key.pem").private_numbers()
    at = data.index(numbers.p.to_bytes(128, "big"))
    data[at + 64] ^= 0x10
    return bytes(data)


def tlv(tag, *content):
    data = b"".join(content)
    size = len(data)
    length = bytes([size]) if size < 128 else bytes([0x82]) + size.to_bytes(2, "big")
    return bytes([tag]) + length + data


def number(value):
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(dotted_hex):
    return tlv(0x06, bytes.fromhex(dotted_hex))


def costly(function):
    cipher = tlv(0x30, oid("60864801650304012a"), tlv(0x04, bytes(16)))
    scheme = tlv(0x30, oid("2a864886f70d01050d"), tlv(0x30, function, cipher))
    return armour("ENCRYPTED PRIVATE KEY", tlv(0x30, scheme, tlv(0x04, bytes(1232))))


def costly_pbkdf2():
    hmac_sha256 = tlv(0x30, oid("2a864886f70d0209"), tlv(0x05))
    settings = tlv(0x30, tlv(0x04, bytes(8)), number((1 << 31) - 1), hmac_sha256)
    return costly(tlv(0x30, oid("2a864886f70d01050c"), settings))


def costly_scrypt():
    settings = tlv(0x30, tlv(0x04, bytes(8)), number(1 << 30), number(8), number(1))
    return costly(tlv(0x30, oid("2b06010401da47040b"), settings))
