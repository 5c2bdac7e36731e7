r"""HL7 v2.5.1 messages: reading them strictly, building them safely.

The delimiters are fixed to ``|^~\&``; a value that would break out of its field cannot be built.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import hl7

from simulators.errors import ArgumentError
from simulators.events import reasons

if TYPE_CHECKING:
    from collections.abc import Mapping

Value = str | None | tuple["Value", ...] | list["Value"]
"""A field's value: text, a tuple of components (of a tuple: subcomponents), or a list of repetitions."""

VERSION = "2.5.1"
PREFIX = "MSH|^~\\&|"
CONTROL_ID = re.compile(r"[A-Za-z0-9_.-]{1,20}")
"""MSH-10 is ST of at most 20 characters (HL7 v2.5.1 2.15.9.10)."""

_ESCAPES = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\", "\n": "\\.br\\"}
_MEANINGS = {"E": "\\", "F": "|", "S": "^", "T": "&", "R": "~", ".br": "\n", "H": "", "N": ""}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class MalformedError(ValueError):
    """The text is not an HL7 v2.5.1 message that can be trusted to mean what it seems to."""

    reason = reasons.MALFORMED


def escape(text: str) -> str:
    r"""Return the text with delimiters escaped (HL7 v2.5.1 2.7), line ends as ``\.br\``.

    >>> escape("R&D | 5^2")
    'R\\T\\D \\F\\ 5\\S\\2'

    Raises:
        ArgumentError: the text holds another control character, such as the CR that would begin a segment.
    """
    escaped = "".join(_ESCAPES.get(character, character) for character in text)
    if _CONTROL.search(escaped):
        raise ArgumentError(
            f"a control character in {text!r} cannot be part of an HL7 message", remedy="Give the text without it."
        )
    return escaped


def unescape(text: str) -> str:
    r"""Return the text with escape sequences resolved; ``\.br\`` becomes a line end.

    Raises:
        MalformedError: an unknown or unclosed sequence, or ``\Xhh\`` that hides a control character.
    """
    pieces = text.split("\\")
    if len(pieces) % 2 == 0:
        raise MalformedError("an escape sequence is not closed")
    for index in range(1, len(pieces), 2):
        pieces[index] = _meaning(pieces[index])
    return "".join(pieces)


def _meaning(sequence: str) -> str:
    if sequence in _MEANINGS:
        return _MEANINGS[sequence]
    if sequence.startswith("X"):
        try:
            text = bytes.fromhex(sequence[1:]).decode("utf-8")
        except ValueError as error:
            raise MalformedError(f"escape sequence \\{sequence}\\ is not UTF-8") from error
        if _CONTROL.search(text):
            raise MalformedError(f"escape sequence \\{sequence}\\ hides a control character")
        return text
    raise MalformedError(f"escape sequence \\{sequence}\\ is not known")


def _field(value: Value) -> str:
    if isinstance(value, list):
        return "~".join(_field(repetition) for repetition in value)
    if isinstance(value, tuple):
        return "^".join(_component(component) for component in value).rstrip("^")
    return escape(value or "")


def _component(value: Value) -> str:
    if isinstance(value, tuple):
        return "&".join(escape(str(subcomponent or "")) for subcomponent in value).rstrip("&")
    return escape(str(value or ""))


def segment(name: str, fields: Mapping[int, Value]) -> str:
    """Return one segment; `fields` maps field numbers to values (not for MSH: see :func:`header`).

    >>> segment("PID", {1: "1", 3: ("P1", None, None, "SITE", "MR")})
    'PID|1||P1^^^SITE^MR'
    """
    return "|".join([name, *(_field(fields.get(number)) for number in range(1, max(fields, default=0) + 1))])


@dataclass(frozen=True)
class Party:
    """An application and its facility: MSH-3 and MSH-4, or MSH-5 and MSH-6."""

    application: str
    facility: str

    @classmethod
    def of(cls, host: str, site: str) -> Party:
        """Return the party that a host of a site is: both names in capitals."""
        return cls(host.upper(), site.upper())


def new_control_id() -> str:
    """Return an MSH-10 that has not been used: 20 random hexadecimal digits."""
    return secrets.token_hex(10).upper()


def timestamp(at: datetime | None = None) -> str:
    """Return a DTM with the offset from UTC, by default of now."""
    return (at or datetime.now(UTC)).strftime("%Y%m%d%H%M%S%z")


def header(
    sender: Party, receiver: Party, kind: tuple[str, ...], control_id: str | None = None, at: datetime | None = None
) -> str:
    """Return the MSH segment; `kind` is MSH-9, such as ``("ADT", "A04", "ADT_A01")``."""
    fields: dict[int, Value] = {
        3: sender.application,
        4: sender.facility,
        5: receiver.application,
        6: receiver.facility,
        7: timestamp(at),
        9: kind,
        10: control_id or new_control_id(),
        11: "P",
        12: VERSION,
        18: "UNICODE UTF-8",
    }
    return PREFIX + segment("", {number - 2: value for number, value in fields.items()})[1:]


def join(*segments: str) -> str:
    """Return the message that the segments make."""
    return "".join(f"{entry}\r" for entry in segments)


@dataclass(frozen=True)
class Message:
    """A message that has been read; fields are kept as they were sent."""

    segments: tuple[tuple[str, ...], ...]
    text: str

    @property
    def control_id(self) -> str:
        """MSH-10."""
        return self.get("MSH", 10)

    @property
    def type(self) -> str:
        """MSH-9.1 and MSH-9.2, such as ``ADT^A04``."""
        return f"{self.get('MSH', 9)}^{self.get('MSH', 9, 2)}"

    @property
    def names(self) -> list[str]:
        """The segments' names, in order."""
        return [entry[0] for entry in self.segments]

    def count(self, name: str) -> int:
        """Return how many segments have the name."""
        return self.names.count(name)

    def get(self, name: str, field: int, component: int = 1, *, sub: int = 1, occurrence: int = 1) -> str:
        r"""Return a value of the first repetition, unescaped; what is not there is empty.

        >>> parse(b"MSH|^~\\&|A|B|||||ADT^A04|1|P|2.5.1\rPID|||P1^^^SITE&1.2&ISO\r").get("PID", 3, 4)
        'SITE'

        Raises:
            MalformedError: the value's escape sequences are wrong.
        """
        found = [entry for entry in self.segments if entry[0] == name]
        if len(found) < occurrence or len(found[occurrence - 1]) <= field:
            return ""
        raw = found[occurrence - 1][field]
        if name == "MSH" and field <= 2:  # noqa: PLR2004 - MSH-1 and MSH-2 are the delimiters themselves
            return raw
        return unescape(_part(_part(_part(raw, "~", 1), "^", component), "&", sub))


def _part(text: str, delimiter: str, number: int) -> str:
    parts = text.split(delimiter)
    return parts[number - 1] if number <= len(parts) else ""


def parse(data: bytes) -> Message:
    """Read one message.

    Raises:
        MalformedError: not UTF-8, other delimiters, control characters besides CR, a second MSH,
            a segment without a name.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError("the message is not UTF-8") from error
    if not text.startswith(PREFIX):
        raise MalformedError(f"the message does not begin with {PREFIX}")
    if _CONTROL.search(text.replace("\r", "")):
        raise MalformedError("a control character stands in the message")
    try:
        parsed = hl7.parse(text)
        segments = tuple(tuple(str(field) for field in fields) for fields in parsed)
    except (hl7.HL7Exception, ValueError, LookupError, AssertionError, RecursionError) as error:
        raise MalformedError(f"the message cannot be read: {error}") from error
    if any(not re.fullmatch(r"[A-Z][A-Z0-9]{2}", entry[0]) for entry in segments):
        raise MalformedError("a segment has no name")
    if sum(entry[0] == "MSH" for entry in segments) != 1:
        raise MalformedError("the message has more than one MSH")
    return Message(segments=segments, text=text)


@dataclass(frozen=True)
class Problem:
    """Why a message is not accepted: MSA-1, and the ERR segment that says it (HL7 v2.5.1 2.15.5).

    ``code`` is of table 0357, ``location`` ERR-2 such as ``("PID", "1", "3")``.
    """

    acknowledgement: str
    code: int
    text: str
    location: tuple[str, ...] = ()


CONDITIONS: dict[int, str] = {
    100: "Segment sequence error",
    101: "Required field missing",
    102: "Data type error",
    103: "Table value not found",
    200: "Unsupported message type",
    201: "Unsupported event code",
    202: "Unsupported processing id",
    203: "Unsupported version id",
    204: "Unknown key identifier",
    205: "Duplicate key identifier",
    206: "Application record locked",
    207: "Application internal error",
}
"""HL7 table 0357, message error condition codes."""


def acknowledgement(received: Message | None, own: Party, problem: Problem | None) -> bytes:
    """Return the ACK to a message; `received` is None when not even its header could be read."""
    sender, event, control_id = Party("", ""), "", ""
    if received is not None:
        sender = Party(_tolerant(received, 3), _tolerant(received, 4))
        event, control_id = _tolerant(received, 9, 2), _tolerant(received, 10)
    segments = [
        header(own, sender, ("ACK", event, "ACK")),
        segment("MSA", {1: problem.acknowledgement if problem else "AA", 2: control_id}),
    ]
    if problem:
        fields: dict[int, Value] = {
            2: problem.location,
            3: (str(problem.code), CONDITIONS[problem.code], "HL70357"),
            4: "E",
            8: _CONTROL.sub(" ", problem.text)[:250],
        }
        segments.append(segment("ERR", fields))
    return join(*segments).encode()


def _tolerant(message: Message, field: int, component: int = 1) -> str:
    try:
        return message.get("MSH", field, component)
    except MalformedError:
        return ""


@dataclass(frozen=True)
class Answer:
    """What an acknowledgement says."""

    acknowledgement: str
    control_id: str
    code: int | None
    location: str
    text: str

    @property
    def accepted(self) -> bool:
        """The receiver took the message."""
        return self.acknowledgement == "AA"


def read_answer(data: bytes) -> Answer:
    """Read an acknowledgement.

    Raises:
        MalformedError: it is none.
    """
    message = parse(data)
    if message.get("MSA", 1) not in {"AA", "AE", "AR"}:
        raise MalformedError("the answer has no MSA-1 of AA, AE or AR")
    code = message.get("ERR", 3)
    return Answer(
        acknowledgement=message.get("MSA", 1),
        control_id=message.get("MSA", 2),
        code=int(code) if code.isdigit() else None,
        location="^".join(message.get("ERR", 2, number) for number in (1, 2, 3)).rstrip("^"),
        text=message.get("ERR", 8),
    )
