"""What is measured of people and AE titles, line by line; docs/behaviour.md prints it."""

from __future__ import annotations

from dataclasses import dataclass

PERSON, AE_TITLE = "user.name", "dicom.calling_ae"
DEPARTMENT = "department"
"""No field of an event: the department at which a study was scheduled."""

LEAST_HOURS = 20
"""Hours in which somebody has done a thing, before an amount of it can be unusual."""
MOST_HOURS = 200
"""The latest of them that count."""
FACTOR = 6
"""How many times the usual deviation from the median is still usual."""
LEAST_DAYS = 10
"""Days on which somebody was there, before a place or an hour can be new."""
FORGET_DAYS = 90
"""Days after which a place where somebody was not is new again."""


@dataclass(frozen=True)
class Amount:
    """How much somebody does within an hour of the clock.

    Attributes:
        name: of the measure.
        who: the field that says who it is of.
        actions: what is counted, where it succeeded.
        counted: the field whose different values are counted; events themselves where it is empty.
        least: an amount below this is never unusual.
        means: for the docs.
    """

    name: str
    who: str
    actions: frozenset[str]
    counted: str
    least: int
    means: str


@dataclass(frozen=True)
class Place:
    """From where, with what or for whom somebody does something.

    Attributes:
        name: of the measure.
        who: the field that says who it is of.
        actions: what is looked at, where it succeeded.
        fields: the fields that say where; the first that an event has.
        means: for the docs.
    """

    name: str
    who: str
    actions: frozenset[str]
    fields: tuple[str, ...]
    means: str


SEEN = frozenset({"person-views", "retrieve"})
ASKED = frozenset({"associate", "query", "retrieve", "store"})

AMOUNTS = (
    Amount("studies", PERSON, SEEN, "dicom.study_uid", 15, "different studies that a person opens"),
    Amount("patients", PERSON, SEEN, "patient.id", 15, "different patients whom a person looks at"),
    Amount("searches", PERSON, frozenset({"person-searches", "query"}), "", 30, "searches of a person"),
    Amount("queries", AE_TITLE, frozenset({"query"}), "", 60, "queries of an AE title"),
    Amount(
        "retrievals", AE_TITLE, frozenset({"retrieve"}), "dicom.study_uid", 15, "studies that an AE title retrieves"
    ),
    Amount("associations", AE_TITLE, frozenset({"associate"}), "", 100, "associations of an AE title"),
)
PLACES = (
    Place(
        "workstation", PERSON, SEEN | {"sign-in", "ssh-login"}, ("source.domain", "source.ip"),
        "the host that a person works at",
    ),
    Place("zone", PERSON, SEEN | {"sign-in", "ssh-login"}, ("pacslab.zone",), "the zone that a person works in"),
    Place("department", PERSON, SEEN, (DEPARTMENT,), "the department where the studies were made that a person opens"),
    Place("peer", AE_TITLE, ASKED, ("destination.domain",), "the host that an AE title calls"),
    Place("origin", AE_TITLE, ASKED, ("pacslab.zone",), "the zone that an AE title calls from"),
)  # fmt: skip
HOUR = Place("hour", PERSON, frozenset(), (), "the hour of the day at which a person works; week-ends are apart")
"""Of every action of people."""
