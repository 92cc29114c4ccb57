"""Makes the key files that are missing from keys/; those that are there stay.

What is random (keys, salts) is made once and committed, so that everything else in
this folder is the same on every run. Needs the `openssl` command only when a file is
missing.
"""

import datetime
import os
import subprocess
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "keys")
PASSPHRASE = "test-passphrase"
NON_ASCII_PASSPHRASE = "pässwörd"
TEST_KEY = os.path.join(FOLDER, "test-key.pem")

CIPHERS = ("aes128", "aes192", "aes256")
PKCS8 = {
    f"{prf}-{cipher}": ["-v2", cipher, *options]
    for cipher in CIPHERS
    for prf, options in (
        ("pbkdf2-sha256", ["-v2prf", "hmacWithSHA256"]),
        ("pbkdf2-sha1", ["-v2prf", "hmacWithSHA1"]),
        ("scrypt", ["-scrypt", "-scrypt_N", "16384", "-scrypt_r", "8", "-scrypt_p", "1"]),
    )
}
LEGACY = ("aes128", "aes192", "aes256", "des3")


def path(name):
    return os.path.join(FOLDER, name)


def read(name):
    with open(path(name), newline="", encoding="utf-8") as file:
        return file.read()


@cache
def private_key(name):
    return serialization.load_pem_private_key(read(name).encode(), None)


@cache
def public_key(name):
    return serialization.load_pem_public_key(read(name).encode())


def make_missing():
    """Make each file that is not there."""
    recipes = {
        "rsa-512.pem": lambda: openssl("genrsa", "-traditional", "512"),
        "rsa-3072.pem": lambda: openssl("genrsa", "-traditional", "3072"),
        "rsa-4096.pem": lambda: openssl("genrsa", "-traditional", "4096"),
        "other-key.pem": lambda: openssl("genrsa", "-traditional", "2048"),
        "other-key.pub.pem": lambda: public_pem("other-key.pem"),
        "oracle-docs-1024.pub.pem": lambda: public_pem("oracle-docs-1024.pem"),
        "test-key.pub-pkcs1.pem": lambda: public_pem("test-key.pem", PublicFormat.PKCS1),
        "test-key.cert.pem": certificate,
        "test-key.openssh.pem": lambda: private_pem(private_key("test-key.pem"), PrivateFormat.OpenSSH),
        "ec-p256.pkcs8.pem": lambda: private_pem(ec.generate_private_key(ec.SECP256R1())),
        "ec-p256.sec1.pem": lambda: private_pem(
            private_key("ec-p256.pkcs8.pem"), PrivateFormat.TraditionalOpenSSL
        ),
        "ed25519.pkcs8.pem": lambda: private_pem(ed25519.Ed25519PrivateKey.generate()),
        "test-key.pbes1-sha1-3des.pem": lambda: encrypted(["-v1", "PBE-SHA1-3DES"]),
        "test-key.pbkdf2-sha256-non-ascii.pem": lambda: encrypted(
            PKCS8["pbkdf2-sha256-aes256"], NON_ASCII_PASSPHRASE
        ),
    }
    for name, options in PKCS8.items():
        recipes[f"test-key.{name}.pem"] = lambda options=options: encrypted(options)
    for cipher in LEGACY:
        recipes[f"test-key.legacy-{cipher}.pem"] = lambda cipher=cipher: openssl(
            "rsa", "-in", TEST_KEY, f"-{cipher}", "-traditional", "-passout", f"pass:{PASSPHRASE}"
        )
    for name, recipe in recipes.items():
        if not os.path.exists(path(name)):
            with open(path(name), "w", newline="", encoding="utf-8") as file:
                file.write(recipe())
            print("made", name)


def openssl(*arguments):
    return subprocess.run(
        ["openssl", *arguments], check=True, capture_output=True, text=True
    ).stdout


def encrypted(options, passphrase=PASSPHRASE):
    return openssl(
        "pkcs8", "-topk8", "-in", TEST_KEY, "-passout", f"pass:{passphrase}", *options
    )


def private_pem(key, form=PrivateFormat.PKCS8):
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def public_pem(name, form=PublicFormat.SubjectPublicKeyInfo):
    return private_key(name).public_key().public_bytes(Encoding.PEM, form).decode()


def certificate():
    key = private_key("test-key.pem")
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ocisign test")])
    builder = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=1,
        not_valid_before=datetime.datetime(2024, 1, 1),
        not_valid_after=datetime.datetime(2049, 1, 1),
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def rs256(name, message):
    """A signature as a token has it."""
    return private_key(name).sign(message, padding.PKCS1v15(), hashes.SHA256())
