"""Makes the vectors, and checks them.

    python3 make.py           write the files
    python3 make.py --check   write nothing; exit 1 if a file would change or is not valid

Everything that official code or documentation gave stays as it is: it is read from the
files, and reference.py has to reproduce it. Everything else is made here from the cases
in cases/ and the rule in reference.py. A case that states its expectation states it on
its own account, and reference.py has to agree.
"""

import json
import os
import re
import sys
from functools import cache

import jsonschema

import make_keys
import reference
from cases import keys, profiles, regions, signing, tokens, verify
from reference import Refused, text

FOLDER = os.path.dirname(os.path.abspath(__file__))
WIDTH = 110  # of a line, in which a list or an object may stand whole
LONG_RUN = 200  # from here on, a repeated character is written as a repetition

NOTES = {
    "signing.json": "Requests that the official Python, TypeScript, Go, Java and Ruby signers sign alike.",
    "published.json": "The signed requests that Oracle publishes, and digests that its SDKs state.",
    "disagreements.json": "Requests that official signers sign differently or refuse; expected is what the rule says.",
    "rules.json": "Further requests that the rule signs.",
    "invalid.json": "Requests that cannot be signed.",
    "keys.json": "Private key texts, and the key or the refusal that follows.",
    "profiles.json": "Configuration files, and the values of one profile.",
    "tokens.json": "Security tokens with a private key, and what is read of them.",
    "regions.json": "Regions, and where their services are; the table of all of them.",
    "verify.json": "Received requests, and whether they are accepted.",
}
KINDS = {
    "keys.json": "key",
    "profiles.json": "profile",
    "tokens.json": "token",
    "regions.json": "region",
    "verify.json": "verify",
}
FROZEN = ("signed_headers", "signing_string", "signature")
PUBLISHED_DIGESTS = {
    "digest-empty": ("", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
    "digest-hello": ('{"message":"hello"}', "my1Dr/v0mjZwKN8uFBT4TA4JmsmMPVSoqAFX/XdxryU="),
}


def main():
    make_keys.make_missing()
    with open(os.path.join(FOLDER, "schema.json"), encoding="utf-8") as file:
        schema = json.load(file)
    files = all_files()
    faults = [*schema_faults(schema, files), *repeated_ids(files)]
    if not faults and sys.argv[1:] == ["--check"]:
        faults = [f"{name} is not what make.py makes" for name in files if on_disk(name) != written(files[name])]
    elif not faults:
        for name, content in files.items():
            with open(os.path.join(FOLDER, name), "w", encoding="utf-8") as file:
                file.write(written(content))
    for name, content in files.items():
        print(f"{name}: {len(content['cases'])} cases")
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


def schema_faults(schema, files):
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for name, content in files.items():
        error = jsonschema.exceptions.best_match(validator.iter_errors(content))
        if error:
            yield f"{name}: {error.json_path}: {error.message[:300]}"


def repeated_ids(files):
    for name, content in files.items():
        ids = [case["id"] for case in content["cases"]]
        yield from {f"{name}: {id} is given twice" for id in ids if ids.count(id) > 1}


def on_disk(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        return file.read()


def all_files():
    published = published_cases()
    made = {
        "signing.json": [frozen_case(case) for case in load("signing.json")["cases"]],
        "published.json": published,
        "disagreements.json": [signed(bare(case)) for case in load("disagreements.json")["cases"]],
        "rules.json": [signed(case) for case in signing.rules()],
        "invalid.json": [signed(case) for case in signing.invalid()],
        "keys.json": [with_key(case) for case in keys.cases()],
        "profiles.json": profile_cases(),
        "tokens.json": [with_token(case) for case in tokens.cases()],
        "regions.json": [with_region(case) for case in regions.cases()],
        "verify.json": [with_verdict(case) for case in verify.cases(published)],
    }
    files = {
        name: {
            "schema": "ocisign-vectors/1",
            "kind": KINDS.get(name, "signing"),
            "note": NOTES[name],
            "cases": [tidy(case) for case in cases],
        }
        for name, cases in made.items()
    }
    files["regions.json"]["table"] = load("regions.json")["table"]
    return files


@cache
def load(name):
    return json.loads(on_disk(name))


def agreed(case, found):
    """The case with what was found; what the case states itself has to be the same."""
    for name, value in found.items():
        stated = case.get(name, value)
        stated = text(stated) if isinstance(stated, dict) and "concat" in stated else stated
        assert stated == value, f"{case['id']}: {name} is stated as {stated!r}, found as {value!r}"
    unfound = {"result", "error", "header", "character", "offset", "line", "reason"} & set(case) - set(found)
    assert not unfound, f"{case['id']}: stated, and not found: {unfound}"
    return case | found


def outcome(function, *arguments):
    try:
        return function(*arguments)
    except Refused as refused:
        return refused.expectation


# --- signing ----------------------------------------------------------------------


def signed(case):
    credential = case["credential"]
    key = make_keys.private_key(credential["key"])
    assert key.key_size >= (1024 if credential.get("allow_weak_key") else 2048), case["id"]
    found = outcome(reference.sign, case["request"], credential, case["now"], key)
    return agreed(case, found)


def frozen_case(case):
    """A case that official code made: the rule has to give the same."""
    assert case["result"] == "valid" and all(name in case for name in FROZEN), case["id"]
    return signed({name: value for name, value in case.items() if name != "headers"})


def bare(case):
    """A disagreement without its expectation, which is the rule's to give."""
    return {name: case[name] for name in ("id", "group", "source", "request", "credential", "now", "sdks")}


def published_cases():
    cases = [frozen_case(case) for case in load("published.json")["cases"] if case["group"] == "published"]
    for case in cases:
        assert case["credential"]["key_id"].endswith(
            "/" + reference.fingerprint(make_keys.private_key(case["credential"]["key"]))
        )
    for id, (body, digest) in PUBLISHED_DIGESTS.items():
        request = {"kind": "text", "text": body}
        case = signed(signing.case(id, "digests", "POST", body=request) | {"source": "oci-sdks"})
        assert ["x-content-sha256", digest] in case["headers"], id
        cases.append(case)
    return cases


# --- the other kinds --------------------------------------------------------------


def with_key(case):
    def read():
        pem = make_keys.read(case["file"]) if "file" in case else text(case["pem"])
        key = reference.read_private_key(pem, case.get("passphrase"), case.get("allow_weak_key", False))
        return {"result": "valid", "bits": key.key_size, "fingerprint": reference.fingerprint(key)}

    return officially(agreed(case, outcome(read)), lambda sdk: sdk)


def profile_cases():
    taken_over = [
        {name: case[name] for name in ("id", "group", "profile", "text", "sdks")}
        for case in load("profiles.json")["cases"]
        if "sdks" in case
    ]
    cases = []
    for case in taken_over + profiles.cases():
        case = agreed(case, outcome(reference.read_profile, case["text"], case["profile"]))
        cases.append(officially(case, lambda sdk: sdk["result"], "values"))
    return cases


def officially(case, result_of, *more):
    """Name the SDKs as the source where all of them do what is expected."""
    sdks = case.get("sdks", {}).values()
    same = sdks and all(
        result_of(sdk) == case["result"] and all(sdk.get(name) == case.get(name) for name in more)
        for sdk in sdks
    )
    return case | {"source": "oci-sdks" if same else "rule"}


def with_token(case):
    return agreed(case, outcome(reference.read_token, text(case["token"]), make_keys.private_key(case["key"])))


def with_region(case):
    given = [case.get(name) for name in ("regions_config", "region_metadata", "realm_domain")]
    table = load("regions.json")["table"]
    return agreed(case, outcome(reference.read_region, table, case["region"], *given))


def with_verdict(case):
    key = make_keys.public_key(case["key"])
    found = outcome(reference.verify, case["request"], case["now"], key, case.get("expected_host"))
    found.pop("character", None), found.pop("offset", None)  # invalid.json has them
    return agreed(case, found)


# --- writing ----------------------------------------------------------------------

ORDER = (
    "id group source request credential key file pem passphrase allow_weak_key profile text token region "
    "regions_config region_metadata realm_domain expected_host now sdks result error reason character offset "
    "header line bits fingerprint values key_id expires binding_checked region_id realm second_level_domain "
    "endpoints signed_headers signing_string signature headers"
).split()


def tidy(case):
    """The members in one order, long runs as repetitions."""
    made = ("signing_string", "headers")
    return {name: shorter(case[name]) if name in made else case[name] for name in sorted(case, key=ORDER.index)}


def shorter(value):
    """A long run of one character, in a text that was made, as a repetition."""
    if isinstance(value, list):
        return [shorter(each) for each in value]
    parts = re.split(r"((.)\2{%d,})" % (LONG_RUN - 1), value)
    if len(parts) == 1:
        return value
    pieces = []
    for at in range(0, len(parts), 3):
        pieces += [parts[at]] if parts[at] else []
        if at + 1 < len(parts):
            pieces.append({"repeat": [parts[at + 2], len(parts[at + 1])]})
    return {"concat": pieces}


def written(content):
    return pretty(content) + "\n"


def pretty(value, indent=0):
    """JSON in ASCII, short lists and objects on one line."""
    line = json.dumps(value)
    if not isinstance(value, (list, dict)) or not value or (indent > 1 and len(line) + indent <= WIDTH):
        return line
    inner = "\n" + " " * (indent + 1)
    if isinstance(value, list):
        items = [pretty(each, indent + 1) for each in value]
        first, last = "[]"
    else:
        items = [json.dumps(name) + ": " + pretty(each, indent + 1) for name, each in value.items()]
        first, last = "{}"
    return first + inner + ("," + inner).join(items) + "\n" + " " * indent + last


if __name__ == "__main__":
    main()
