"""The components of ocisign in wasmtime-py. RSA outside the guest is by `cryptography`."""

from base64 import b64decode

import pytest
from wasmtime import WasmtimeError
from wasmtime.component import Variant

import vectors
from host import (
    CompiledComponent,
    Instance,
    KeyForTheGuest,
    KeyOfTheHost,
    OcisignError,
    headers,
    key_material,
    record,
    request,
    rsa_sign,
    rsa_verifies,
)

SIGNING = vectors.cases(*vectors.SIGNING)
PUBLISHED = [case for case in vectors.cases("published") if case["group"] == "published"]
NOW = 1_704_110_645
KEY_ID = "tenancy/user/fingerprint"


def each(cases):
    """Run a test for each case, under the case's name."""
    return pytest.mark.parametrize("case", cases, ids=lambda case: case["id"])


@pytest.fixture(scope="module")
def core():
    """An instance of ocisign-core.wasm, which needs nothing of its host."""
    return Instance(CompiledComponent("ocisign-core.wasm"))


@pytest.fixture(scope="module")
def component():
    """ocisign.wasm, compiled."""
    return CompiledComponent("ocisign.wasm")


# The halves do not know when a credential expires: that is the holder's.
@each([case for case in SIGNING if case.get("error") != "EXPIRED"])
def test_every_signing_case_signs_in_two_halves_with_the_key_outside(core, case):
    credential = case["credential"]
    arguments = (vectors.request(case), credential["key_id"], credential.get("delegation_token"), case["now"])
    if case["result"] == "invalid":
        with pytest.raises(OcisignError) as refused:
            core.call("halves.prepare", *arguments)
        check_error(refused, case)
        return
    prepared = core.call("halves.prepare", *arguments)
    signing_string = getattr(prepared, "signing-string")
    assert signing_string == vectors.text(case["signing_string"])
    signature = rsa_sign(vectors.private_key(credential["key"]), signing_string)
    assert signature == case["signature"]
    assert headers(core.call("halves.finish", prepared, signature)) == vectors.headers(case["headers"])


@each(SIGNING)
def test_every_signing_case_signs_with_a_key_that_never_leaves_the_host(component, case):
    credential = case["credential"]
    host = KeyOfTheHost(
        credential["key_id"],
        vectors.private_key(credential["key"]),
        credential.get("delegation_token"),
        credential.get("expires"),
    )
    instance = Instance(component, host)
    if case["result"] == "valid":
        assert instance.sign(vectors.request(case), case["now"]) == vectors.headers(case["headers"])
        assert host.signed == [(credential["key_id"], vectors.text(case["signing_string"]))]
    else:
        with pytest.raises(OcisignError) as refused:
            instance.sign(vectors.request(case), case["now"])
        check_error(refused, case)
        assert host.signed == []


# wasmtime 50 has the instructions of the wide build on.
@pytest.mark.parametrize("file", ["ocisign.wasm", "ocisign-wide.wasm"])
@each(PUBLISHED)
def test_what_oracle_published_is_signed_byte_for_byte_with_the_key_in_the_guest(file, case):
    credential = case["credential"]
    host = KeyForTheGuest(credential["key_id"], vectors.pem(credential["key"]), danger_allow_weak_key=True)
    signed = Instance(CompiledComponent(file), host).sign(vectors.request(case), case["now"])
    assert signed == vectors.headers(case["headers"])
    assert f'signature="{case["signature"]}"' in dict(signed)["authorization"]


@each(vectors.cases("verify"))
def test_every_verify_case_is_judged_with_the_host_checking_the_signature(core, case):
    options = record(expected_host=case.get("expected_host"), window=None)
    try:
        claim = core.call("verification.verify", vectors.request(case), options, case["now"])
    except OcisignError as refused:
        assert refused.code == case.get("error")
        return
    signing_string = getattr(claim, "signing-string")
    verified = rsa_verifies(vectors.public_key(case["key"]), b64decode(claim.signature), signing_string)
    assert (None if verified else "SIGNATURE_MISMATCH") == case.get("error")
    if verified:
        assert getattr(claim, "key-id") == case["key_id"]


def test_a_credential_is_asked_for_once_and_again_when_it_expires(component):
    host = KeyOfTheHost(KEY_ID, vectors.private_key("test-key.pem"), expires=NOW + 60)
    instance = Instance(component, host)
    for now in (NOW, NOW + 1, NOW + 59):
        instance.sign(get(), now)
        assert host.asked == 1
    host.source.payload.expires = NOW + 120
    for now in (NOW + 60, NOW + 119):
        instance.sign(get(), now)
        assert host.asked == 2


def test_a_credential_that_is_given_expired_is_refused_and_asked_for_again(component):
    host = KeyOfTheHost(KEY_ID, vectors.private_key("test-key.pem"), expires=NOW)
    instance = Instance(component, host)
    for asked in (1, 2):
        with pytest.raises(OcisignError) as refused:
            instance.sign(get(), NOW)
        assert (refused.value.code, host.asked) == ("EXPIRED", asked)


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (Variant("not-configured"), "the host has no credential configured"),
        (Variant("failed", "the vault is sealed"), "the vault is sealed"),
        (Variant("other", "out of order"), "out of order"),
        (Variant("other", None), "the host gave no reason"),
    ],
    ids=lambda value: value.tag if isinstance(value, Variant) else "",
)
def test_a_host_without_a_credential_is_an_error_in_its_own_words(component, failure, message):
    host = KeyOfTheHost(KEY_ID, vectors.private_key("test-key.pem"))
    host.current = lambda: Variant("err", failure)
    with pytest.raises(OcisignError, match=message) as refused:
        Instance(component, host).sign(get(), NOW)
    assert refused.value.code == "NO_CREDENTIAL"


def test_a_host_that_does_not_sign_is_an_error_and_signs_the_next_time(component):
    host = KeyOfTheHost(KEY_ID, vectors.private_key("test-key.pem"))
    instance = Instance(component, host)
    # The result of `sign` has no tag: its cases are a string and a variant.
    host.sign = lambda _key_id, _text: Variant("failed", "the card was pulled")
    with pytest.raises(OcisignError, match="the card was pulled") as refused:
        instance.sign(get(), NOW)
    assert refused.value.code == "SIGNING_FAILED"
    host.sign = lambda _key_id, _text: "not base64"
    with pytest.raises(OcisignError) as refused:
        instance.sign(get(), NOW)
    assert refused.value.code == "INVALID_ENCODING"
    del host.sign
    assert dict(instance.sign(get(), NOW))["authorization"].startswith('Signature version="1"')


def test_an_exception_of_the_host_reaches_the_caller_and_ends_the_instance(component):
    class VaultError(Exception):
        pass

    def fail():
        raise VaultError

    host = KeyOfTheHost(KEY_ID, vectors.private_key("test-key.pem"))
    instance = Instance(component, host)
    host.current = fail
    with pytest.raises(VaultError):
        instance.sign(get(), NOW)
    del host.current
    with pytest.raises(WasmtimeError):
        instance.sign(get(), NOW)
    assert Instance(component, host).sign(get(), NOW)


def test_a_key_that_is_read_once_signs_through_its_resource(component):
    instance = Instance(component, KeyOfTheHost(KEY_ID, None))
    material = key_material(KEY_ID, vectors.pem("test-key.pem"), expires=NOW + 60)
    credential = instance.call("keys.[static]credential.read", material)
    signed = [headers(instance.call("keys.[method]credential.sign", credential, get(), NOW)) for _ in range(2)]
    key = vectors.private_key("test-key.pem")
    outside = instance.sign_outside(get(), KEY_ID, None, NOW, lambda text: rsa_sign(key, text))
    assert signed == [outside, outside]
    assert instance.call("keys.[method]credential.expires", credential) == NOW + 60
    assert instance.call("keys.[method]credential.binding-checked", credential) is False
    credential.drop(instance.store)


def get():
    return request("GET", "https://iaas.us-phoenix-1.oraclecloud.com/20160918/instances")


def check_error(refused, case):
    assert refused.value.code == case["error"]
    assert case.get("header", "") in str(refused.value).lower()
