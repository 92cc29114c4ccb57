"""What Python makes possible and nobody should do: an exception that names the argument."""

import ast
import io
import multiprocessing
import pickle
import subprocess
import sys
import traceback
from typing import Any

import pytest
import reader

import ocisign

KEY = reader.pem("test-key.pem")
URL = "https://iaas.us-phoenix-1.oraclecloud.com/20160918/vcns"
CREDENTIAL = ocisign.Credential("t/u/f", KEY)
PUBLIC = ocisign.PublicKey(reader.pem("test-key.pub.pem"))
SURROGATE = "a\udc00b"


def sign(**changed: Any) -> dict[str, str]:
    given: dict[str, Any] = {"method": "GET", "url": URL, "credential": CREDENTIAL} | changed
    return ocisign.sign(**given)


@pytest.mark.parametrize("value", [None, 1, b"GET", ["GET"], object()], ids=repr)
@pytest.mark.parametrize("name", ["method", "url"])
def test_what_is_no_text_is_refused_by_name(name: str, value: Any) -> None:
    kind = type(value).__name__
    with pytest.raises(TypeError, match=f"^{name}: expected str, not {kind}$"):
        sign(**{name: value})


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        (1, "headers: expected a mapping or pairs of str, not int"),
        ([1], "headers: expected a mapping or pairs of str, not int"),
        ([("a",)], "headers: expected a mapping or pairs of str, not tuple"),
        ({"a": 1}, "headers: expected str, not int"),
        ({b"a": "b"}, "headers: expected str, not bytes"),
    ],
)
def test_headers_that_are_none_are_refused(headers: Any, message: str) -> None:
    with pytest.raises(TypeError, match=f"^{message}$"):
        sign(headers=headers)


@pytest.mark.parametrize("body", ["text", 1, io.BytesIO(b""), iter([b""]), {"a": 1}])
def test_a_body_that_is_no_bytes_is_refused(body: Any) -> None:
    kind = type(body).__name__
    with pytest.raises(
        TypeError, match=f"^body: expected bytes, a Digest or UNSIGNED, not {kind}$"
    ):
        sign(method="POST", body=body)


def test_other_arguments_are_named_too() -> None:
    rubbish: Any = "rubbish"
    signer = ocisign.Signer.from_credential(CREDENTIAL)
    for name, call in [
        ("credential", lambda: sign(credential=rubbish)),
        ("credential", lambda: ocisign.Signer.from_credential(rubbish)),
        ("environment", lambda: ocisign.Signer.default(environment=rubbish)),
        ("on_refresh", lambda: ocisign.Signer.default(on_refresh=rubbish)),
        ("signed", lambda: signer.on_unauthorized(rubbish)),
        ("signed", lambda: signer.on_not_found(rubbish)),
        ("public_key", lambda: ocisign.verify("GET", URL, rubbish, headers=sign())),
    ]:
        with pytest.raises(TypeError, match=f"^{name}: expected a .*, not str$"):
            call()


def test_bytes_of_any_kind_are_a_body() -> None:
    now = {"method": "POST", "now": 1}
    expected = sign(body=b"abc", **now)
    assert sign(body=bytearray(b"abc"), **now) == expected
    assert sign(body=memoryview(b"xabcx")[1:4], **now) == expected
    assert sign(body=memoryview(b"a-b-c-")[::2], **now) == expected


def test_a_lone_surrogate_is_refused_and_not_shown() -> None:
    for name in ("method", "url"):
        with pytest.raises(ValueError, match=f"^{name}: a lone surrogate is no text$"):
            sign(**{name: SURROGATE})
    with pytest.raises(ValueError, match="^headers: a lone surrogate"):
        sign(headers={"a": SURROGATE})
    with pytest.raises(ValueError, match="^private_key: a lone surrogate") as found:
        ocisign.Credential("t/u/f", KEY + SURROGATE)
    assert found.value.__cause__ is found.value.__context__ is None


@pytest.mark.parametrize("now", ["1", b"", [], float("nan"), -1, -1.5, 1e300], ids=repr)
def test_a_time_that_is_none_is_refused(now: Any) -> None:
    with pytest.raises((TypeError, OverflowError), match="^now: expected seconds since 1970"):
        sign(now=now)
    assert sign(now=1.9)["date"] == sign(now=1)["date"]


@pytest.mark.parametrize("given", [KEY.encode(), None, 1, io.StringIO(KEY)])
def test_a_key_that_is_no_text_is_refused_and_not_shown(given: Any) -> None:
    with pytest.raises(TypeError, match="^private_key: expected str, not ") as found:
        ocisign.Credential("t/u/f", given)
    shown = "".join(traceback.format_exception(found.value))
    assert KEY.splitlines()[1] not in shown


@pytest.mark.parametrize(
    ("make", "code", "parent"),
    [
        (lambda: ocisign.Credential("", KEY), "INVALID_KEY_ID", ValueError),
        (lambda: ocisign.Credential("t/u/f", "no key"), "INVALID_KEY", ValueError),
        (lambda: ocisign.Credential.from_profile(path="/nowhere"), "FILE_UNREADABLE", OSError),
        (lambda: ocisign.Credential("ST$e30.e30", KEY), "INVALID_TOKEN", ValueError),
        (lambda: sign(url="x"), "INVALID_URL", ValueError),
        (lambda: sign(headers={"a b": ""}), "INVALID_HEADER", ValueError),
        (
            lambda: ocisign.Signer.resource_principal(environment={}).warm(),
            "MISSING_VARIABLE",
            ValueError,
        ),
        (
            lambda: sign(credential=ocisign.Credential("t/u/f", KEY, expires=1)),
            "EXPIRED",
            PermissionError,
        ),
        (
            lambda: ocisign.verify("GET", URL, PUBLIC, headers={}),
            "MISSING_AUTHORIZATION",
            PermissionError,
        ),
    ],
)
def test_errors_have_a_code_and_a_natural_parent(make: Any, code: str, parent: Any) -> None:
    with pytest.raises(parent) as found:
        make()
    error = found.value
    assert isinstance(error, ocisign.OciSignError)
    assert error.code == code
    assert str(error).startswith(f"{code}: ")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.code, str(again)) == (type(error), code, str(error))


def test_a_callable_source_that_raises_or_gives_rubbish_is_an_error_in_its_own_words() -> None:
    def fail() -> ocisign.Credential:
        raise LookupError("the vault is sealed")

    for source, message in [
        (fail, "LookupError: the vault is sealed"),
        (lambda: "rubbish", "TypeError: source: expected a Credential, not str"),
    ]:
        signer = ocisign.Signer.from_callable(source)  # type: ignore[arg-type]
        for _ in range(2):
            with pytest.raises(ocisign.OciSignError, match=message) as found:
                signer.sign("GET", URL)
            assert found.value.code == "SOURCE_FAILED"
    with pytest.raises(TypeError, match="^source: expected a callable, not str$"):
        ocisign.Signer.from_callable("source")  # type: ignore[arg-type]


def test_a_callable_source_recovers() -> None:
    results: list[Any] = [OSError("away"), CREDENTIAL]

    def source() -> ocisign.Credential:
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        assert isinstance(result, ocisign.Credential)
        return result

    told: list[Any] = []
    signer = ocisign.Signer.from_callable(
        source, on_refresh=lambda generation, error: told.append((generation, error and error.code))
    )
    with pytest.raises(ocisign.OciSignError):
        signer.warm()
    signer.refresh()
    assert signer.sign("GET", URL).generation == 1
    assert told == [(None, "SOURCE_FAILED"), (1, None)]


def test_an_on_refresh_that_raises_harms_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda given: shown.append(given.exc_value))

    def tell(generation: int | None, error: ocisign.OciSignError | None) -> None:
        raise RuntimeError("not interested")

    signer = ocisign.Signer.from_callable(lambda: CREDENTIAL, on_refresh=tell)
    signer.warm()
    assert [type(error) for error in shown] == [RuntimeError]
    assert signer.sign("GET", URL).headers["host"] == "iaas.us-phoenix-1.oraclecloud.com"


def test_nothing_secret_is_in_what_python_shows() -> None:
    token = "e30.eyJleHAiOjQxMDI0NDQ4MDB9.c2ln"
    credential = ocisign.Credential.security_token(token, KEY)
    signer = ocisign.Signer.from_credential(credential)
    signed = signer.sign("GET", URL)
    exchange = ocisign.Exchange.oke_workload_identity(
        token, environment={"KUBERNETES_SERVICE_HOST": "h"}
    )
    things = [credential, signer, signed, signer.identity(), signer.status(), exchange]
    things.append(ocisign.prepare("GET", URL, f"ST${token}"))
    for thing in things:
        for shown in (repr(thing), str(thing)):
            assert token not in shown
            assert signed.headers["authorization"] not in shown


def test_what_holds_no_key_is_pickled() -> None:
    assert pickle.loads(pickle.dumps(ocisign.UNSIGNED)) is ocisign.UNSIGNED


def test_the_package_imports_next_to_nothing() -> None:
    program = (
        "import sys; before = set(sys.modules); import ocisign; print(set(sys.modules) - before)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    imported = ast.literal_eval(run.stdout)
    assert {name for name in imported if not name.startswith("ocisign")} <= {"__future__"}


def test_what_holds_keys_is_not_pickled() -> None:
    for thing in (CREDENTIAL, ocisign.Signer.from_credential(CREDENTIAL)):
        with pytest.raises(TypeError, match="cannot pickle"):
            pickle.dumps(thing)


def test_a_child_of_fork_signs() -> None:
    signer = ocisign.Signer.from_credential(CREDENTIAL)
    signer.warm()
    context = multiprocessing.get_context("fork")
    queue: Any = context.Queue()
    child = context.Process(target=lambda: queue.put(signer.sign("GET", URL).generation))
    child.start()
    assert queue.get(timeout=20) == 1
    child.join(20)
    assert child.exitcode == 0
