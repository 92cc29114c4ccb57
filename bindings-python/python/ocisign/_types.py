"""What is neither an error nor in Rust."""

from __future__ import annotations

# The module `typing` takes longer to import than all of this package.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


class Unsigned:
    """The type of `UNSIGNED`, which is the only one."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNSIGNED"

    def __reduce__(self) -> str:
        return "UNSIGNED"


UNSIGNED: Final = Unsigned()
"""A body that is left out of the signature: OCI accepts that for some uploads only, among them
`PutObject` and `UploadPart` of Object Storage."""
