"""What is neither an error nor in Rust."""

from __future__ import annotations

import enum
from typing import Final


class Unsigned(enum.Enum):
    """A body that is left out of the signature."""

    UNSIGNED = "unsigned"

    def __repr__(self) -> str:
        return "UNSIGNED"


UNSIGNED: Final = Unsigned.UNSIGNED
"""A body that is left out of the signature: OCI accepts that for some uploads only, among them
`PutObject` and `UploadPart` of Object Storage."""
