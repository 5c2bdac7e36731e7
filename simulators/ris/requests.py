"""What holds for every request that creates or changes something (DIMSE-N, PS3.7 10): its values, and its refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.dicom_text import is_uid
from simulators.events import reasons
from simulators.printable import hides

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from simulators.events.vocabulary import Reason

# Status codes of PS3.7 annex C
SUCCESS = 0x0000
NO_SUCH_ATTRIBUTE = 0x0105
INVALID_VALUE = 0x0106
PROCESSING_FAILURE = 0x0110
DUPLICATE_INSTANCE = 0x0111
NO_SUCH_INSTANCE = 0x0112
INVALID_INSTANCE = 0x0117
MISSING_ATTRIBUTE = 0x0120
MISSING_VALUE = 0x0121
NOT_AUTHORISED = 0x0124

REASONS: dict[int, Reason] = {
    INVALID_VALUE: reasons.ATTRIBUTE_VALUE,
    NO_SUCH_ATTRIBUTE: reasons.FIXED_ATTRIBUTE,
    PROCESSING_FAILURE: reasons.FINAL_STATE,
    DUPLICATE_INSTANCE: reasons.DUPLICATE_INSTANCE,
    NO_SUCH_INSTANCE: reasons.UNKNOWN_INSTANCE,
    INVALID_INSTANCE: reasons.INVALID_INSTANCE,
    MISSING_ATTRIBUTE: reasons.MISSING_ATTRIBUTE,
    MISSING_VALUE: reasons.ATTRIBUTE_VALUE,
    NOT_AUTHORISED: reasons.OTHER_STATION,
}
"""Status of a refusal to its reason in an event."""

_LINE_ENDS = str.maketrans("\r\n\f\t", "    ")
"""What texts of several lines may have (PS3.5 6.1.3)."""


class RequestError(Exception):
    """A request that fails: its DIMSE status, and ErrorComment (0000,0902), at most 64 characters."""

    def __init__(self, status: int, comment: str, error_id: int | None = None, *, reason: Reason | None = None) -> None:
        """Say why; the reason in an event is that of the status, unless another one is given."""
        super().__init__(comment)
        self.status = status
        self.comment = comment[:64]
        self.error_id = error_id
        self.reason = reason or REASONS[status]


def check_instance(uid: str | None) -> str:
    """Return the UID under which a request creates something.

    Raises:
        RequestError: it is missing, or none.
    """
    if not uid or not is_uid(uid):
        raise RequestError(INVALID_INSTANCE, "AffectedSOPInstanceUID is missing or no UID")
    return uid


def check_values(attributes: Dataset) -> None:
    """Refuse values that hide something, or that are no UIDs: they are shown, and become messages to others.

    Raises:
        RequestError: there is one.
    """
    for element in attributes.iterall():
        if element.VR == "SQ" or element.value is None:
            continue
        for value in element.value if element.VM > 1 else [element.value]:
            text = str(value)
            if element.VR == "UI" and text and not is_uid(text):
                raise RequestError(INVALID_VALUE, f"{element.keyword or element.tag} is no UID")
            lines = text.translate(_LINE_ENDS) if element.VR in {"LT", "ST", "UT"} else text
            if hides(lines):
                raise RequestError(INVALID_VALUE, f"{element.keyword or element.tag} has a control character")


def need(attributes: Dataset, names: tuple[str, ...]) -> None:
    """Refuse attributes of type 1 that are missing or empty.

    Raises:
        RequestError: one is.
    """
    for name in names:
        if name not in attributes:
            raise RequestError(MISSING_ATTRIBUTE, f"{name} is missing")
        value = attributes[name].value
        if value is None or value == "" or (attributes[name].VR == "SQ" and len(value) == 0):
            raise RequestError(MISSING_VALUE, f"{name} is empty")
