r"""HL7 v2 messages: reading them strictly, building them safely.

The delimiters are fixed to ``|^~\&`` (``#`` for what was cut, as of 2.7); a value that would break out of its field
cannot be built. What is built is version 2.5.1; what is read may be any version of :data:`VERSIONS`.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from simulators.errors import ArgumentError
from simulators.events import reasons
from simulators.hl7charset import UTF_8, CharacterSet, CharacterSetError, named
from simulators.printable import hides

if TYPE_CHECKING:
    from collections.abc import Mapping

Value = str | None | tuple["Value", ...] | list["Value"]
"""A field's value: text, a tuple of components (of a tuple: subcomponents), or a list of repetitions."""

VERSION = "2.5.1"
VERSIONS = frozenset({"2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.1", "2.8.2"})
"""HL7 table 0104, as far as messages of it are understood."""

PREFIX = "MSH|^~\\&|"
PREFIXES = (PREFIX, "MSH|^~\\&#|")
CONTROL_ID = re.compile(r"[!-~]{1,199}")
"""MSH-10: 199 characters since version 2.7; 20 before, which senders of UUIDs do not keep to."""

_ESCAPES = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\", "\n": "\\.br\\"}
_MEANINGS = {"E": "\\", "F": "|", "S": "^", "T": "&", "R": "~", "P": "#", ".br": "\n", ".sp": "\n", "H": "", "N": ""}
_LAYOUT = re.compile(r"\.(?:(?:sp|sk|in|ti)[+-]?[0-9]{0,2}|fi|nf|ce)")
"""Formatting commands (HL7 v2.5.1 2.7.6) that change how a text looks, and not what it says."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class MalformedError(ValueError):
    """The text is not an HL7 v2 message that can be trusted to mean what it seems to.

    What is said of it quotes nothing of it: it may be a patient's.
    """

    reason = reasons.MALFORMED


def escape(text: str) -> str:
    r"""Return the text with delimiters escaped (HL7 v2.5.1 2.7), line ends as ``\.br\``.

    >>> escape("R&D | 5^2")
    'R\\T\\D \\F\\ 5\\S\\2'

    Raises:
        ArgumentError: the text holds another control character, such as the CR that would begin a segment, or one that
            changes the direction of what follows.
    """
    if hides(text.replace("\n", " ")):
        raise ArgumentError(
            f"a control character in {text!r} cannot be part of an HL7 message", remedy="Give the text without it."
        )
    return "".join(_ESCAPES.get(character, character) for character in text)


def unescape(text: str) -> str:
    r"""Return the text with escape sequences resolved; ``\.br\`` becomes a line end, other layout is left out.

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
            raise MalformedError("an escape sequence is not UTF-8") from error
        if hides(text):
            raise MalformedError("an escape sequence hides a control character")
        return text
    if _LAYOUT.fullmatch(sequence):
        return "\n" if sequence.startswith(".sp") else ""
    raise MalformedError("an escape sequence is not known")


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
    sender: Party,
    receiver: Party,
    kind: tuple[str, ...],
    control_id: str | None = None,
    at: datetime | None = None,
    *,
    version: str = VERSION,
    character_set: CharacterSet = UTF_8,
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
        12: version,
        18: character_set.title,
    }
    return PREFIX + segment("", {number - 2: value for number, value in fields.items()})[1:]


def join(*segments: str) -> str:
    """Return the message that the segments make."""
    return "".join(f"{entry}\r" for entry in segments)


@dataclass(frozen=True)
class Message:
    """A message that has been read; fields are kept as they were sent, without what escapes mean."""

    segments: tuple[tuple[str, ...], ...]
    text: str
    character_set: CharacterSet = UTF_8

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
        return [fields[0] for fields in self.segments]

    def count(self, name: str) -> int:
        """Return how many segments have the name."""
        return self.names.count(name)

    def groups(self, *beginnings: str) -> list[Message]:
        """Return a message for each group of segments, with what stands before the first group in front of it.

        A group begins with the first of `beginnings` that is there, such as ORC with its OBR, and with the others where
        that one is missing. Without any group there is one message: this.
        """
        starts: list[int] = []
        for index, name in enumerate(self.names):
            if name in beginnings and (name == beginnings[0] or not self._begun(starts, index, beginnings)):
                starts.append(index)
        if not starts:
            return [self]
        head = self.segments[: starts[0]]
        ends = [*starts[1:], len(self.segments)]
        return [
            replace(self, segments=(*head, *self.segments[start:end])) for start, end in zip(starts, ends, strict=True)
        ]

    def _begun(self, starts: list[int], index: int, beginnings: tuple[str, ...]) -> bool:
        """Whether a segment belongs to the group that the segment of another name has begun."""
        return bool(starts) and not any(name in beginnings[1:] for name in self.names[starts[-1] : index])

    def repetitions(self, name: str, field: int) -> list[list[str]]:
        """Return the components of each repetition of a field of the first such segment, unescaped, one line each.

        Raises:
            MalformedError: an escape sequence is wrong.
        """
        raw = self._raw(name, field, 1)
        return [
            [_one_line(unescape(_part(component, "&", 1))) for component in repetition.split("^")]
            for repetition in raw.split("~")
            if repetition
        ]

    def get(self, name: str, field: int, component: int = 1, *, sub: int = 1, occurrence: int = 1) -> str:
        r"""Return a value of the first repetition, unescaped, of one line; what is not there is empty.

        >>> parse(b"MSH|^~\\&|A|B|||||ADT^A04|1|P|2.5.1\rPID|||P1^^^SITE&1.2&ISO\r").get("PID", 3, 4)
        'SITE'

        Raises:
            MalformedError: the value's escape sequences are wrong, or make several lines of it.
        """
        raw = self._raw(name, field, occurrence)
        if name == "MSH" and field <= 2:  # noqa: PLR2004 - MSH-1 and MSH-2 are the delimiters themselves
            return raw
        return _one_line(unescape(_part(_part(_part(raw, "~", 1), "^", component), "&", sub)))

    def text_of(self, name: str, field: int, *, occurrence: int = 1) -> str:
        """Return a text with all its repetitions, which may have several lines, unescaped.

        Raises:
            MalformedError: its escape sequences are wrong.
        """
        repetitions = self._raw(name, field, occurrence).split("~")
        return "\n".join(unescape(_part(_part(repetition, "^", 1), "&", 1)) for repetition in repetitions)

    def _raw(self, name: str, field: int, occurrence: int) -> str:
        found = [fields for fields in self.segments if fields[0] == name]
        if len(found) < occurrence or len(found[occurrence - 1]) <= field:
            return ""
        raw = found[occurrence - 1][field]
        return "" if raw == '""' else raw  # HL7 v2.5.1 2.5.3: a value that is to be deleted


def _one_line(text: str) -> str:
    if "\n" in text:
        raise MalformedError("a field of one line has several")
    return text


def _part(text: str, delimiter: str, number: int) -> str:
    parts = text.split(delimiter)
    return parts[number - 1] if number <= len(parts) else ""


def parse(data: bytes) -> Message:
    """Read one message, in the character set that MSH-18 names; line feeds after segments are passed over.

    Raises:
        MalformedError: not of its character set, other delimiters, control characters besides CR, a second MSH,
            a segment without a name.
    """
    character_set = _character_set(data)
    try:
        text = data.decode(character_set.codec)
    except UnicodeError as error:
        raise MalformedError(f"the message is not {character_set.title}") from error
    text = text.replace("\r\n", "\r")
    if not text.startswith(PREFIXES):
        raise MalformedError(f"the message does not begin with {PREFIX}")
    if hides(text.replace("\r", "")):
        raise MalformedError("a control character stands in the message")
    lines = [line for line in text.split("\r") if line]
    segments = tuple(tuple(line.split("|")) for line in lines)
    if any(not re.fullmatch(r"[A-Z][A-Z0-9]{2}", fields[0]) for fields in segments):
        raise MalformedError("a segment has no name")
    if sum(fields[0] == "MSH" for fields in segments) != 1:
        raise MalformedError("the message has more than one MSH")
    header_fields = (segments[0][0], "|", *segments[0][1:])  # MSH-1 is the delimiter between the others
    return Message(segments=(header_fields, *segments[1:]), text=text, character_set=character_set)


def _character_set(data: bytes) -> CharacterSet:
    """Return the character set that MSH-18 names in its first repetition; the header itself is ASCII up to there."""
    fields = data.split(b"\r", 1)[0].split(b"|")
    declared = fields[17] if len(fields) > 17 else b""  # noqa: PLR2004 - MSH-1 is the delimiter, so MSH-18 is 17
    try:
        return named(declared.split(b"~")[0].decode("ascii"))
    except (CharacterSetError, UnicodeDecodeError) as error:
        raise MalformedError("MSH-18 names a character set that is not understood") from error


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


ACCEPT_LEVEL = {"AA": "CA", "AE": "CE", "AR": "CR"}
"""MSA-1 of an application to that of an accept acknowledgement (HL7 v2.5.1 2.9.3, table 0008)."""

_ERR_FIELDS_SINCE = (2, 5)
"""Version since which ERR-2, ERR-3 and ERR-8 say what was wrong; before, ERR-1 and MSA-3 do."""


def acknowledgement(received: Message | None, own: Party, problem: Problem | None, *, accept: bool = False) -> bytes:
    """Return the ACK to a message, in its version and character set; `received` is None when it could not be read.

    Args:
        received: the message.
        own: who answers.
        problem: why it is not accepted, if it is not.
        accept: answer for the arrival only (enhanced mode: CA, CE, CR).
    """
    sender, event, control_id, version, character_set = Party("", ""), "", "", VERSION, UTF_8
    if received is not None:
        sender = Party(_tolerant(received, 3), _tolerant(received, 4))
        event, control_id = _tolerant(received, 9, 2), _tolerant(received, 10)
        version = _tolerant(received, 12) if _tolerant(received, 12) in VERSIONS else VERSION
        character_set = received.character_set
    code = problem.acknowledgement if problem else "AA"
    said = _CONTROL.sub(" ", problem.text)[:250] if problem else ""
    segments = [
        header(own, sender, ("ACK", event, "ACK"), version=version, character_set=character_set),
        segment("MSA", {1: ACCEPT_LEVEL[code] if accept else code, 2: control_id, 3: said if problem else None}),
    ]
    if problem:
        what: Value = (str(problem.code), CONDITIONS[problem.code], "HL70357")
        fields: dict[int, Value] = {2: problem.location, 3: what, 4: "E", 8: said}
        if tuple(int(part) for part in version.split(".")[:2]) < _ERR_FIELDS_SINCE:
            fields = {1: (*(problem.location or ("MSH", "1", "")), what)}
        segments.append(segment("ERR", fields))
    return join(*segments).encode(character_set.codec, "replace")


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
        """The receiver took the message, and is answerable for it (AA), or for its delivery (CA)."""
        return self.acknowledgement in {"AA", "CA"}


def read_answer(data: bytes) -> Answer:
    """Read an acknowledgement of any version.

    Raises:
        MalformedError: it is none.
    """
    message = parse(data)
    if message.get("MSA", 1) not in {*ACCEPT_LEVEL, *ACCEPT_LEVEL.values()}:
        raise MalformedError("the answer has no MSA-1 of table 0008")
    code = message.get("ERR", 3) or message.get("ERR", 1, 4)
    places = ((2, number) for number in (1, 2, 3)) if message.get("ERR", 2) else ((1, number) for number in (1, 2, 3))
    return Answer(
        acknowledgement=message.get("MSA", 1),
        control_id=message.get("MSA", 2),
        code=int(code) if code.isdecimal() else None,
        location="^".join(message.get("ERR", field, number) for field, number in places).rstrip("^"),
        text=message.get("ERR", 8) or message.get("MSA", 3),
    )
