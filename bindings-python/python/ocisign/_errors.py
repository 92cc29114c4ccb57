"""Exceptions: one base with the stable code, and natural parents where they fit."""

from __future__ import annotations


class OciSignError(Exception):
    """Why nothing was signed. `code` is stable and equal in all languages."""

    code: str
    reason: str | None

    def __init__(self, code: str, message: str, reason: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def __reduce__(self) -> tuple[type[OciSignError], tuple[str, str, str | None]]:
        return type(self), (self.code, self.message, self.reason)


class InvalidInputError(OciSignError, ValueError):
    """Something that the program, its files or its environment gave cannot be right."""


class CredentialError(OciSignError, PermissionError):
    """There is no credential that may sign: it has expired, or was refused."""


class UnreachableError(OciSignError, ConnectionError):
    """A server that is needed for a credential gave no whole answer."""


class UnreachableInTimeError(UnreachableError, TimeoutError):
    """It gave none in time."""


class FileError(OciSignError, OSError):
    """A file could not be read."""


class VerifyError(OciSignError, PermissionError):
    """A received request is not signed as it should be."""


_CLASSES: dict[str, type[OciSignError]] = {
    "BODY_TOO_LARGE": InvalidInputError,
    "BODY_UNKNOWN": InvalidInputError,
    "EXCHANGE_REFUSED": CredentialError,
    "EXCHANGE_UNREACHABLE": UnreachableError,
    "EXPIRED": CredentialError,
    "FILE_UNREADABLE": FileError,
    "INVALID_ANSWER": CredentialError,
    "INVALID_CERTIFICATE": CredentialError,
    "KEY_MISMATCH": InvalidInputError,
    "MISSING_VARIABLE": InvalidInputError,
    "NO_CREDENTIAL": CredentialError,
    "PARENT_LOOP": CredentialError,
    "PROFILE_NOT_FOUND": InvalidInputError,
    "TENANCY_CHANGED": CredentialError,
    "UNSUPPORTED_AUTHENTICATION": InvalidInputError,
}

_VERIFYING = frozenset(
    {
        "DATE_OUT_OF_WINDOW",
        "DIGEST_MISMATCH",
        "DUPLICATE_HEADER",
        "HEADER_MISSING",
        "HEADER_NOT_SIGNED",
        "HOST_MISMATCH",
        "LENGTH_MISMATCH",
        "MALFORMED_AUTHORIZATION",
        "MISSING_AUTHORIZATION",
        "SIGNATURE_MISMATCH",
    }
)


def error_of(code: str, message: str, reason: str | None = None) -> OciSignError:
    """The exception of a code."""
    if code == "EXCHANGE_UNREACHABLE" and reason == "timeout":
        return UnreachableInTimeError(code, message, reason)
    if code in _VERIFYING:
        return VerifyError(code, message, reason)
    if code.startswith("INVALID_") and code not in _CLASSES:
        return InvalidInputError(code, message, reason)
    return _CLASSES.get(code, OciSignError)(code, message, reason)
