"""A hospital at work: people order, acquire and read at the same time, and it is kept what each of them was told.

Everything is done on the hosts by ``pacslab-load``, which is brought along: orders at the record, steps at every
scanner of one archive, and at workstations reading by C-FIND and C-GET or by DICOMweb.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from lab.errors import PacslabError, UsageError
from lab.hospital.answers import Answer
from lab.hospital.hospital import Actor, Hospital

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lab.engine.lab import Lab
    from lab.topology.site import Site

T = TypeVar("T")
COMMAND = "pacslab-load"
PIECE_SECONDS = 10.0
"""For which people work before they tell what they have done."""
LONGEST_PIECE = 900.0
"""Seconds: a peer that is gone in the middle of a piece is waited for."""
AHEAD = 20
"""Orders that are placed before the scanners have come to them."""
AT_ONCE = 4
"""Studies that a reader takes at a time."""
PATIENCE = 300.0
"""Seconds in which something has to come of the work, or it ends: longer than any restart takes."""
PROGRESS_SECONDS = 15.0
PAUSE = 1.0


class Ordered(Answer):
    """Placer order number by patient."""

    orders: dict[str, str]


class Acquired(Answer):
    """A procedure step that was performed, and SHA-256 of each image's pixel data by SOP Instance UID."""

    accession: str
    study: str
    digests: dict[str, str]


class Performed(Answer):
    """What a scanner has performed."""

    performed: list[Acquired]


class Seen(Answer):
    """What a reader has seen of each study: SHA-256 of pixel data by SOP Instance UID."""

    read: dict[str, dict[str, str]]
    errors: dict[str, str]


@dataclass(frozen=True)
class Volume:
    """How much there is to do.

    Attributes:
        orders: Each of a patient of its own.
        images: Of each order.
        matrix: Rows and columns of an image: small ones cost little beside what is done with them.
    """

    orders: int
    images: int
    matrix: int = 64


@dataclass(frozen=True)
class Reader:
    """A workstation that reads from the archive."""

    host: str
    web: bool


@dataclass(frozen=True)
class Staff:
    """Who takes part, all by host.

    Attributes:
        record: Where orders are placed.
        scanners: Those that store in the archive, with the section that orders name for them.
        archive: Where they store and readers look.
        readers: Who reads, and how.
    """

    record: str
    scanners: Mapping[str, str]
    archive: str
    readers: tuple[Reader, ...]

    @classmethod
    def of(cls, site: Site) -> Staff:
        """The site's.

        Raises:
            UsageError: it has no record, no scanner of ours, or nobody who reads what scanners store.
        """
        records = Actor("order-placer").hosts(site)
        archives = [name for name in Actor("primary-archive").hosts(site) if name in site.managed]
        if not records or not archives or not site.with_function("order-filler"):
            raise UsageError(
                f"Site {site.name} has no record that orders, RIS and primary archive.",
                remedy="Take a site that has them, such as reference.",
            )
        archive = archives[0]
        asks = {flow.source for flow in site.flows_in(archive) if "N-ACTION" in flow.permits}
        scanners = {name: site.hosts[name].modality or "" for name in Actor("acquisition").hosts(site) if name in asks}
        readers = tuple(_readers(site, archive))
        if not scanners or not readers:
            raise UsageError(
                f"Site {site.name} has no scanner that stores at {archive}, or nobody who reads there.",
                remedy="Add flows of dicom-tls to it that permit C-STORE with N-ACTION, and C-GET.",
            )
        return cls(records[0], scanners, archive, readers)


def _readers(site: Site, archive: str) -> list[Reader]:
    """Every workstation that may retrieve there; by turns over DICOM and, where a flow permits it, over DICOMweb."""
    permitted: dict[str, set[str]] = {}
    for flow in site.flows_in(archive):
        if flow.source in site.managed:
            permitted.setdefault(flow.source, set()).update(flow.permits)
    found = [name for name in sorted(permitted) if {"C-FIND", "C-GET"} <= permitted[name]]
    return [
        Reader(name, web=number % 2 == 1 and {"QIDO-RS", "WADO-RS"} <= permitted[name])
        for number, name in enumerate(found)
    ]


@dataclass
class Workday:
    """Work that goes on in a hospital, and what was acknowledged of it.

    Attributes:
        lab: The running lab.
        volume: How much there is to do.
        prefix: How the patients' identifiers begin: letters and digits that no other patient's begin with.
        say: Told of progress, one line at a time.
        placed: Placer order numbers by patient, as the record has acknowledged them.
        acquired: What scanners have performed, by accession number.
        scanner: Where, by accession number.
        read: What readers have seen of each study that was whole, by accession number.
        repeated: Accession numbers that scanners have performed more than once.
    """

    lab: Lab
    volume: Volume
    prefix: str
    say: Callable[[str], None]
    placed: dict[str, str] = field(default_factory=dict)
    acquired: dict[str, Acquired] = field(default_factory=dict)
    scanner: dict[str, str] = field(default_factory=dict)
    read: dict[str, dict[str, str]] = field(default_factory=dict)
    repeated: list[str] = field(default_factory=list)
    _moved: float = field(default_factory=time.monotonic, repr=False)
    _trouble: str = field(default="", repr=False)
    _unread: deque[str] = field(default_factory=deque, repr=False)
    _stop: threading.Event = field(default_factory=threading.Event, repr=False)

    def __post_init__(self) -> None:
        """Find out who works."""
        self.staff = Staff.of(self.lab.site)

    def work(self, until: int) -> None:
        """Work until so many orders are placed, performed and read, or nothing has come of it for a while.

        What is missing then is for whoever counts to tell.
        """
        self._moved = time.monotonic()
        self._stop.clear()
        people = [
            partial(self._order, until),
            *(partial(self._acquire, host, until) for host in self.staff.scanners),
            *(partial(self._read, reader, until) for reader in self.staff.readers),
        ]
        with ThreadPoolExecutor(len(people) + 1) as pool:
            watching = pool.submit(self._watch, until)
            working = [pool.submit(act) for act in people]
            try:
                for person in working:
                    person.result()
            finally:
                self._stop.set()
            watching.result()

    @property
    def images(self) -> dict[str, str]:
        """SHA-256 of the pixel data of every image that was acquired, by SOP Instance UID."""
        return {uid: digest for entry in list(self.acquired.values()) for uid, digest in entry.digests.items()}

    def progress(self) -> str:
        """How far the work is, in a line."""
        acquired = sum(len(entry.digests) for entry in list(self.acquired.values()))
        wanted = self.volume.orders * self.volume.images
        said = (
            f"{len(self.placed)} of {self.volume.orders} orders placed, {acquired} of {wanted} images acquired, "
            f"{len(self.read)} studies read"
        )
        return f"{said}; {self._trouble[:100]}" if self._trouble else said

    def _order(self, until: int) -> None:
        sections = list(self.staff.scanners.values())
        hospital = Hospital(self.lab)
        while not self._stop.is_set() and len(self.placed) < until:
            first, last = len(self.placed) + 1, min(until, len(self.acquired) + AHEAD)
            if last < first:
                self._stop.wait(PAUSE)
                continue
            words = ["--prefix", self.prefix, "--first", str(first), "--last", str(last), "--sections", *sections]
            answer = self._ask(hospital, self.staff.record, ["order", *words], Ordered)
            if answer is not None and answer.orders:
                self.placed |= answer.orders
                self._moved = time.monotonic()

    def _acquire(self, host: str, until: int) -> None:
        hospital = Hospital(self.lab)
        words = ["--prefix", self.prefix, "--images", str(self.volume.images), "--matrix", str(self.volume.matrix)]
        while not self._stop.is_set() and len(self.acquired) < until:
            answer = self._ask(hospital, host, ["acquire", *words], Performed)
            for entry in answer.performed if answer is not None else ():
                if entry.accession in self.acquired:
                    self.repeated.append(entry.accession)
                self.acquired[entry.accession], self.scanner[entry.accession] = entry, host
                self._unread.append(entry.accession)
                self._moved = time.monotonic()

    def _read(self, reader: Reader, until: int) -> None:
        hospital = Hospital(self.lab)
        while not self._stop.is_set() and len(self.read) < until:
            wanted = self._take()
            if not wanted:
                self._stop.wait(PAUSE)
                continue
            words = ["read", *wanted, *(["--web"] if reader.web else [])]
            answer = self._ask(hospital, reader.host, words, Seen)
            whole = {
                accession: digests
                for accession, digests in (answer.read if answer is not None else {}).items()
                if digests.keys() >= self.acquired[accession].digests.keys()
            }
            if whole:
                self.read |= whole
                self._moved = time.monotonic()
            if len(whole) < len(wanted):  # the rest of their images is still on its way
                self._unread.extend(accession for accession in wanted if accession not in whole)
                self._stop.wait(PAUSE)

    def _take(self) -> list[str]:
        """Studies that nobody reads yet."""
        taken: list[str] = []
        while len(taken) < AT_ONCE:
            try:
                taken.append(self._unread.popleft())
            except IndexError:
                break
        return taken

    def _ask(self, hospital: Hospital, host: str, words: Sequence[str], kind: type[T]) -> T | None:
        """Have somebody work for a piece; None when nothing was told, as while the host is away."""
        argv = [COMMAND, *words, "--seconds", f"{PIECE_SECONDS:g}", "--json"]
        try:
            answer = hospital.ask(host, argv, kind, timeout=LONGEST_PIECE)
        except PacslabError as error:
            self._trouble = error.message
            self._stop.wait(PAUSE)
            return None
        self._trouble = ""
        return answer

    def _watch(self, until: int) -> None:
        """Tell how far it is, and end what does not move any more."""
        said = time.monotonic()
        while not self._stop.wait(PAUSE):
            now = time.monotonic()
            if now - self._moved > PATIENCE:
                self.say(f"nothing has come of the work for {PATIENCE:g} s, so it ends: {self.progress()}")
                self._stop.set()
            elif now - said >= PROGRESS_SECONDS:
                self.say(f"{self.progress()} (until {until})")
                said = now
