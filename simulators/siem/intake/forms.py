"""Messages of a known form: what a program writes alike is read in full at first, and by its form from then on.

A message is cut at its quotation marks. What stands outside of them is its markup, what stands between them are its
values. Some values are others each time (:data:`_VARYING`: when, which patient, which study); all else together is the
form. Of a form that was read in full once it is known whether it is an audit message, and what its fields are but for
those values, which only have to be put in their places.

That judges each message as reading it in full does:

- A form is taken only of a message in which quotation marks stand around values of attributes and nowhere else, and
  whose values are what the XML parser read, one by one and in their order.
- A message has a form only if its varying values are of plain characters. None of those ends a value, is a reference,
  or is changed by XML, by the schema's types or by JSON; so that message is the first one with other values, and what
  the schema (PS3.15 A.5.1) and its event (A.5.3) ask of them they keep: a time with its zone, an identifier that is not
  empty, a number, base64.
- Of a value that varies a field is made as it stands, or none, since an earlier part of the message tells the same.
  What the site says of a value (off hours, a watched patient) is asked for each message.
- Which values tell what is known by others that stay (the type of a detail): a form is taken of a message only if
  its own values tell the same as those of the first message with its markup.
- What a form makes of the message that it was taken of has to be, octet by octet, what was made of it in full.

Whatever is not so is read in full.
"""

from __future__ import annotations

import binascii
import json
import re
from datetime import datetime
from functools import lru_cache
from itertools import combinations
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from simulators.siem.fields import OF_KEY, Kind
from simulators.siem.normalise.moment import text_of
from simulators.siem.normalise.parts import PATIENT, STUDY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from simulators.siem.fields import Fields
    from simulators.siem.intake.header import Header
    from simulators.siem.site import Site

MOST_OCTETS = 32 << 20
"""Of messages whose forms are known; with more, all are forgotten and learned again."""
BESIDE = 4096
"""Octets that what is known of a form takes besides its message."""
MOST_SEEN = 100_000
"""Markups and forms that came once, by their hashes; what comes again is learned."""
PROLOGS = (b'<?xml version="1.0"?>', b'<?xml version="1.0" encoding="UTF-8"?>')
"""What may stand before a message; its values are none of an attribute."""

_TIME = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
_PLAIN = rb"[A-Za-z0-9._:^/@+-]{1,128}"
_COUNT = rb"[1-9]\d{0,8}"
_NUMBER = rb"(?:0|[1-9]\d{0,8})"
_BASE64 = rb"(?:[A-Za-z0-9+/]{4}){0,64}(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?"
"""In its canonical form (XML Schema 3.2.16)."""
_DETAILS = frozenset({
    "series", "instance", "mpps", "step", "placer", "control_id", "commitment", "milliseconds", "instances", "found",
    "committed", "bytes_in", "bytes_out", "source_port", "octets", "frames",
})  # fmt: skip
"""Details (ParticipantObjectDetail) whose values vary."""
_VARYING: dict[tuple[str, str], str] = {
    ("Accession", "Number"): "accession",
    ("MPPS", "UID"): "mpps",
    ("Instance", "UID"): "instance",
    ("SOPClass", "NumberOfInstances"): "instances",
}
"""Attributes whose values vary, with the key of docs/events.md that they tell; beside them the time of the event,
identifiers of patients and studies, and details."""
_STAY = ("instances", "patient", "study")
"""Of these some messages have no plain value, since none are counted or it is not told who or what: it stays, then."""
_STAMPS = ("event.ingested", "pacslab.lag", "event.sequence")
"""Fields that are others for each message, and do not stand in it."""
_MINUTE = len("2026-01-05T09:12")
_ENCODE: Callable[[Any], str] = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class _Value(NamedTuple):
    """A value that may vary."""

    place: int
    """In the pieces of its message."""
    key: str
    """What it tells."""
    encoded: bool
    """In base64."""
    first: bool
    """Nothing before it tells the same: the field is made of it."""

    @property
    def may_vary(self) -> bool:
        """Whether it does: of details, some do."""
        return not self.encoded or self.key in _DETAILS

    @property
    def field(self) -> str:
        """The field."""
        return "event.duration" if self.key == "milliseconds" else OF_KEY[self.key].name

    @property
    def is_number(self) -> bool:
        """Whether the field is a number."""
        return self.key == "milliseconds" or OF_KEY[self.key].kind is Kind.LONG

    @property
    def plain(self) -> bytes:
        """How it has to look, as a regular expression."""
        if not self.is_number:
            return _PLAIN
        return _NUMBER if self.encoded and self.key != "milliseconds" else _COUNT


class _When(NamedTuple):
    """When it happened."""

    seconds: float
    is_off: bool
    """Whether people do not work then."""


class _Plan(NamedTuple):
    """The fields of a form."""

    text: bytes
    """As JSON, with places for values."""
    values: Callable[[Sequence[object]], tuple[object, ...]]
    """Those that go there, of all that vary."""


class _Form:
    """Which values of a markup vary, and what comes of it by those that do not."""

    __slots__ = ("_decodes", "_looks", "_varying", "fixed", "patient", "plans", "values")

    def __init__(self, count: int, time: int, values: list[_Value]) -> None:
        """Take how many pieces there are, where the time is, and what varies beside it."""
        self.values = values
        places = [time, *(value.place for value in values)]
        self._varying: Callable[[list[bytes]], tuple[bytes, ...]] = itemgetter(*places, time)
        self.fixed: Callable[[list[bytes]], tuple[bytes, ...]] = itemgetter(
            *(place for place in range(1, count, 2) if place not in places)
        )
        looks = [_TIME, *(_BASE64 if value.encoded else value.plain for value in values), _TIME]
        self._looks = re.compile(b'"'.join(looks)).fullmatch
        self._decodes = [
            (place, re.compile(value.plain).fullmatch) for place, value in enumerate(values, 1) if value.encoded
        ]
        self.patient = next((place for place, value in enumerate(values, 1) if value.key == "patient"), 0)
        self.plans: dict[tuple[object, ...], _Plan | None] = {}

    def read(self, pieces: list[bytes]) -> list[Any] | None:
        """Return the values that vary, the time first and once more at the end; None where one is not plain."""
        varying = self._varying(pieces)
        if self._looks(b'"'.join(varying)) is None:
            return None
        values = list(varying)
        for place, looks in self._decodes:
            values[place] = binascii.a2b_base64(values[place])
            if looks(values[place]) is None:
                return None
        return values


class Forms:
    """The forms that a process of the intake knows."""

    def __init__(self, site: Site | None = None) -> None:
        """Know none; add to events what the site's description says."""
        self._watched = frozenset(patient.encode() for patient in site.watched) if site else frozenset()
        self._is_off = lru_cache(256)(lambda minute: not site.hours.are(_seconds(f"{minute}Z"))) if site else _never
        self._forms: dict[bytes, list[_Form]] = {}
        self._seen: set[int] = set()
        self._octets = 0

    def __len__(self) -> int:
        """How many are known."""
        return sum(len(form.plans) for forms in self._forms.values() for form in forms)

    def fields(self, header: Header, host: str, received: float) -> bytes | None:
        """Return the fields of a message as JSON; None where its form is not known.

        Args:
            header: the message, as far as it is read.
            host: short name of the sender, by its certificate.
            received: when it came, seconds since 1970.
        """
        pieces = header.content.split(b'"')
        for form in self._forms.get(b'"'.join(pieces[::2]), ()):
            if (values := form.read(pieces)) is None:
                continue
            if (when := self._when(form, values)) is None:
                return None
            plan = form.plans.get((host, header.program, header.pid, when.is_off, form.fixed(pieces)))
            if plan is None:
                return None
            lag = round(received - when.seconds, 3)
            values[-1:] = [_text(round(received, 3)), b"%r" % lag, b"%d" % header.number]
            return plan.text % plan.values(values)
        return None

    def learn(self, header: Header, host: str, received: float, root: Any, fields: Fields) -> None:
        """Take the form of a message that was read in full, if its markup came before.

        Args:
            header: the message.
            host: short name of the sender.
            received: when it came.
            root: the message's element, as lxml parsed it and the schema let it in.
            fields: what was made of it.
        """
        if self._octets > MOST_OCTETS:
            self._forms, self._octets = {}, 0
        pieces = header.content.split(b'"')
        markup = b'"'.join(pieces[::2])
        forms = self._forms.get(markup)
        if forms is None:
            if self._is_new(markup):
                return
            self._octets += len(markup) + BESIDE
            forms = self._forms[markup] = _forms_of(header.content, pieces, root)
        for form in forms:
            if (values := form.read(pieces)) is not None:
                if (when := self._when(form, values)) is not None:
                    key = host, header.program, header.pid, when.is_off, form.fixed(pieces)
                    if not self._is_new(key) and key not in form.plans:
                        self._octets += len(header.content) + BESIDE
                        form.plans[key] = _plan_of(form, fields)
                        own = _forms_of(header.content, pieces, root)
                        told_so = any(one.values == form.values for one in own)
                        if not told_so or self.fields(header, host, received) != encoded(fields):
                            form.plans[key] = None
                return

    def _is_new(self, what: object) -> bool:
        """Whether something comes for the first time, as far as that is remembered."""
        mark = hash(what)
        if mark in self._seen:
            return False
        if len(self._seen) >= MOST_SEEN:
            self._seen.clear()
        self._seen.add(mark)
        return True

    def _when(self, form: _Form, values: list[bytes]) -> _When | None:
        """When it happened; None where that is no time, or the fields depend on who the patient is."""
        if form.patient and values[form.patient] in self._watched:
            return None
        time = values[0].decode("ascii")
        try:
            return _When(_seconds(time), self._is_off(time[:_MINUTE]))
        except ValueError:
            return None


def encoded(fields: Fields) -> bytes:
    """Return fields as JSON; NUL, which no database keeps and which can come in what is encoded, is replaced."""
    return _ENCODE(fields).replace(r"\u0000", r"\ufffd").encode("utf-8")


def _forms_of(content: bytes, pieces: list[bytes], root: Any) -> list[_Form]:
    """Return the forms that messages of a markup can have, of which the first that fits one is its own.

    There are none where quotation marks stand elsewhere than around values of attributes.
    """
    prolog = next((prolog for prolog in PROLOGS if content.startswith(prolog)), b"")
    rest = content[len(prolog) :]
    if b"'" in rest or b"<?" in rest or any('"' in text for text in root.itertext()):
        return []
    before = prolog.count(b'"') // 2
    read = [(element, name, value) for element in root.iter() for name, value in element.attrib.items()]
    if [value.encode("utf-8") for _, _, value in read] != pieces[1 + 2 * before :: 2]:
        return []
    places = {(element, name): 2 * (before + number) + 1 for number, (element, name, _) in enumerate(read)}
    time = places[root.find("EventIdentification"), "EventDateTime"]
    if root.find("*/ParticipantObjectQuery") is not None:  # its text tells of patients and studies as well
        return [_Form(len(pieces), time, [])]
    told = list(_told(root, places))
    stay = [key for key in _STAY if any(value.key == key for value in told)]
    return [
        _Form(len(pieces), time, [value for value in told if value.may_vary and value.key not in staying])
        for count in range(len(stay) + 1)
        for staying in combinations(stay, count)
    ]


def _told(root: Any, places: dict[tuple[Any, str], int]) -> Iterator[_Value]:
    """Yield what tells a fact, in the order in which the normaliser reads it."""
    keys: set[str] = set()
    for entry in root.iterfind("ParticipantObjectIdentification"):
        told = [
            (inner, name, key, is_detail)
            for inner in entry.iter()
            for is_detail in [inner.tag == "ParticipantObjectDetail"]
            for name in inner.attrib
            if (key := inner.get("type") if is_detail and name == "value" else _VARYING.get((inner.tag, name)))
        ]
        code = entry.find("ParticipantObjectIDTypeCode")
        system = code.get("csd-code"), code.get("codeSystemName")
        if system in {PATIENT, STUDY}:
            told.append((entry, "ParticipantObjectID", "patient" if system == PATIENT else "study", False))
        for element, name, key, is_detail in told:
            yield _Value(places[element, name], key, is_detail, key not in keys)
            keys.add(key)


def _plan_of(form: _Form, fields: Fields) -> _Plan:
    made = [(value.field, place) for place, value in enumerate(form.values, 1) if value.first]
    places = {"@timestamp": 0, **dict(made), **{name: len(form.values) + 1 + n for n, name in enumerate(_STAMPS)}}
    numbers = {"pacslab.lag", "event.sequence", *(value.field for value in form.values if value.is_number)}
    texts, taken = [], []
    for name, value in fields.items():
        if name in places:
            taken.append(places[name])
            shown = "%b000000" if name == "event.duration" else "%b" if name in numbers else '"%b"'
        else:
            shown = _ENCODE(value).replace("%", "%%")
        texts.append(f'"{name}":{shown}')
    return _Plan(f"{{{','.join(texts)}}}".encode(), itemgetter(*taken))


@lru_cache(64)
def _text(seconds: float) -> bytes:
    return text_of(seconds).encode("ascii")


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _never(_: str) -> bool:
    return False
