"""Every signing, key, token, profile and region vector, through the interface of Python."""

import base64
from typing import Any

import pytest
import reader

import ocisign

Case = dict[str, Any]


def each(*files: str) -> Any:
    return pytest.mark.parametrize("case", reader.cases(*files), ids=lambda case: case["id"])


def refused(error: ocisign.OciSignError, case: Case) -> None:
    assert error.code == case["error"]
    if "reason" in case:
        assert error.reason == case["reason"]


def credential(given: Case) -> ocisign.Credential:
    return ocisign.Credential(
        given["key_id"],
        reader.pem(given["key"]),
        delegation_token=given.get("delegation_token"),
        expires=given.get("expires"),
        danger_allow_weak_key=given.get("allow_weak_key", False),
    )


def body(given: Case) -> Any:
    match given["kind"]:
        case "empty":
            return None
        case "unsigned":
            return ocisign.UNSIGNED
        case "digest":
            return ocisign.Digest(base64.b64decode(given["sha256"]), given["length"])
    return reader.content(given)


def arguments(case: Case) -> dict[str, Any]:
    request = case["request"]
    return {
        "method": reader.text(request["method"]),
        "url": reader.text(request["url"]),
        "headers": reader.headers(request["headers"]),
        "body": body(request["body"]),
        "now": case["now"],
    }


@each(*reader.SIGNING)
def test_every_signing_case(case: Case) -> None:
    given = arguments(case) | {"date_header": case["request"].get("date_header", "date")}
    if case["result"] == "invalid":
        with pytest.raises(ocisign.OciSignError) as found:
            ocisign.sign(credential=credential(case["credential"]), **given)
        refused(found.value, case)
        return
    signed = ocisign.sign(credential=credential(case["credential"]), **given)
    assert list(signed.items()) == reader.headers(case["headers"])

    prepared = (
        ocisign.prepare(key_id=case["credential"]["key_id"], **given)
        if ("delegation_token" not in case["credential"])
        else None
    )
    if prepared is not None:
        assert prepared.signing_string == reader.text(case["signing_string"])
        assert prepared.finish(base64.b64decode(case["signature"])) == signed


@each("keys")
def test_every_key_case(case: Case) -> None:
    text = reader.pem(case["file"]) if "file" in case else reader.text(case["pem"])
    options = {
        "passphrase": case.get("passphrase"),
        "danger_allow_weak_key": case.get("allow_weak_key", False),
    }
    if case["result"] == "invalid":
        with pytest.raises(ocisign.OciSignError) as found:
            ocisign.Credential("t/u/f", text, **options)
        refused(found.value, case)
    else:
        assert ocisign.Credential("t/u/f", text, **options).fingerprint == case["fingerprint"]


@each("tokens")
def test_every_token_case(case: Case) -> None:
    token, key = reader.text(case["token"]), reader.pem(case["key"])
    if case["result"] == "invalid":
        with pytest.raises(ocisign.OciSignError) as found:
            ocisign.Credential.security_token(token, key)
        refused(found.value, case)
    else:
        made = ocisign.Credential.security_token(token, key)
        found_ = made.key_id, made.expires, made.binding_checked
        assert found_ == (case["key_id"], case["expires"], case["binding_checked"])


@each("profiles")
def test_every_profile_case(case: Case) -> None:
    if case["result"] == "invalid":
        with pytest.raises(ocisign.OciSignError) as found:
            ocisign.read_profile(case["text"], case["profile"])
        refused(found.value, case)
    else:
        assert ocisign.read_profile(case["text"], case["profile"]) == case["values"]


@each("regions")
def test_every_region_case(case: Case) -> None:
    names = {
        "regions_config": "regions_config",
        "region_metadata": "region_metadata",
        "default_domain": "realm_domain",
    }
    more = {name: case.get(member) for name, member in names.items()}
    if case["result"] == "invalid":
        with pytest.raises(ocisign.OciSignError) as found:
            ocisign.Region(case["region"], **more)
        refused(found.value, case)
        return
    region = ocisign.Region(case["region"], **more)
    assert (region.id, region.realm) == (case["region_id"], case["realm"])
    for service, endpoint in case["endpoints"].items():
        assert region.endpoint(service) == endpoint


@each("verify")
def test_every_verify_case(case: Case) -> None:
    key = ocisign.PublicKey(reader.pem(case["key"]), danger_allow_weak_key=True)
    given = arguments(case) | {"expected_host": case.get("expected_host")}
    if case["result"] == "invalid":
        with pytest.raises(ocisign.OciSignError) as found:
            ocisign.verify(public_key=key, **given)
        refused(found.value, case)
    else:
        ocisign.verify(public_key=key, **given)
        assert ocisign.examine(**given).key_id == case["key_id"]
