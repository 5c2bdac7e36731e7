"""Runs abuse cases on a clone, each twice: as shipped, and without the control that stops it."""

from __future__ import annotations

import threading
import time
import traceback
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from functools import partial
from queue import Queue
from typing import TYPE_CHECKING

from lab.abuse.attempt import PartyMissingError
from lab.abuse.failure import RestoreError
from lab.abuse.halves import Half, as_shipped, without_control
from lab.abuse.scene import Scene
from lab.abuse.switching import Switching
from lab.abuse.weakening import EditedFiles, ReplacedService
from lab.errors import PacslabError
from lab.hospital.hospital import Hospital
from lab.results.model import Observation, Outcome, judged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lab.abuse.model import AbuseCase
    from lab.abuse.weakening import Weakening
    from lab.engine.lab import Lab
    from lab.results.model import Result
    from lab.topology.site import Site

LANES = 3
"""How many cases are tried at the same time, at hosts that have nothing to do with each other."""
TRIES = 4
"""How often a half is made at most, while other lanes switch controls; they wait for the last try."""
EXPECTED = (
    "as shipped it is refused, on record, without harm, and the service works on; without its control it succeeds"
)
HOW = "docs/add-an-abuse-case.md"


@dataclass
class Twin:
    """A case on its way: its scene, and what came of its halves."""

    case: AbuseCase
    scene: Scene
    shipped: Half | None = None
    weakened: Half | None = None
    error: PacslabError | None = None
    read: tuple[Observation, ...] = ()
    seconds: float = 0.0
    """How long its halves took, without the time in which controls were switched off and on."""

    def attempt(
        self, half: Callable[[AbuseCase, Scene], Half], switching: Switching, lane: int, *, unless: threading.Event
    ) -> Half | None:
        """Make one half; what keeps it from being judged is noted, and keeps the other half from being tried.

        One that could not be judged while another lane switched controls is made again: a service that it needs may
        have been started again under it. One that came out otherwise than promised is not.
        """
        if self.error is not None or unless.is_set():
            return None
        began = time.monotonic()
        try:
            return self._made(half, switching, lane)
        except PacslabError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001 # a mistake of a case is told as one, and the other cases go on
            self.error = CaseMistakeError(
                f"a mistake of the case: {type(error).__name__}: {error}", remedy="The run keeps the traceback."
            )
            text = traceback.format_exc()
            self.read += (Observation(text, f"traceback of {self.case.id}", time.time()),)
        finally:
            self.seconds += time.monotonic() - began
            self.read = (*self.scene.hospital.trail.take(), *self.read)
        return None

    def _made(self, half: Callable[[AbuseCase, Scene], Half], switching: Switching, lane: int) -> Half:
        for tries_left in reversed(range(TRIES)):
            began = time.monotonic()
            try:
                with nullcontext() if tries_left else switching.alone(lane):
                    return half(self.case, self.scene)
            except PacslabError as error:
                if not (tries_left and switching.met(lane, began)):
                    raise
                text = f"{error.message} (while another case switched its control; made again)"
                self.scene.hospital.trail.note(text, self.case.id, time.time())
                switching.wait_quiet(lane)
        raise AssertionError("the last try has returned or raised")


class CaseMistakeError(PacslabError):
    """A case's own code failed."""


@dataclass(frozen=True)
class Twins:
    """Abuse cases on a lab that may be weakened.

    Attributes:
        lab: The clone.
        say: Told what is going on, one line at a time.
        wants_host: Whether cases with one of these hosts are wanted.
    """

    lab: Lab
    say: Callable[[str], None]
    wants_host: Callable[..., bool] = field(default=lambda *_: True, repr=False)
    _stopped: threading.Event = field(default_factory=threading.Event, repr=False)
    _switching: Switching = field(default_factory=Switching, repr=False)

    def run(self, cases: Iterable[AbuseCase]) -> Iterator[Result]:
        """Yield a result for each case as they come; those at one host follow each other."""
        twins = []
        for case in cases:
            try:
                parties = case.parties(self.lab.site)
            except PartyMissingError as missing:
                yield judged(case.promise, self.lab.site.name, Outcome.NOT_APPLICABLE, reason=str(missing))
                continue
            if self.wants_host(parties.source, parties.target):
                twins.append(Twin(case, Scene(Hospital(self.lab), parties)))
        lanes = lanes_of(twins, self.lab.site)
        ended: Queue[Result | None] = Queue()
        pool = ThreadPoolExecutor(max_workers=LANES)
        running = [pool.submit(self._lane, number, lane, ended) for number, lane in enumerate(lanes)]
        try:
            for _ in lanes:
                while (result := ended.get()) is not None:
                    yield result
        finally:
            # After an interruption nobody waits: the clone goes away under what still runs, which ends with that.
            self._stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
        for ran in running:
            ran.result()

    def _lane(self, number: int, twins: list[Twin], ended: Queue[Result | None]) -> None:
        """All cases of a lane: first as shipped, then without their controls, each switched off once."""
        try:
            for twin in twins:
                self.say(f"as shipped: {twin.case.id}")
                twin.shipped = twin.attempt(as_shipped, self._switching, number, unless=self._stopped)
            groups: dict[tuple[str, tuple[Weakening, ...]], list[Twin]] = defaultdict(list)
            for twin in twins:
                groups[twin.scene.parties.target, twin.case.weakenings].append(twin)
            for (_, weakenings), members in groups.items():
                self._weakened(number, weakenings, members, twins)
                for twin in members:
                    ended.put(verdict(twin))
        finally:
            ended.put(None)

    def _weakened(self, number: int, weakenings: Sequence[Weakening], members: list[Twin], lane: list[Twin]) -> None:
        parties = members[0].scene.parties
        self.say(f"{parties.target}: {'; '.join(weakening.text for weakening in weakenings)}")
        try:
            with ExitStack() as stack:
                with self._switching.by(number):
                    for weakening in weakenings:
                        stack.enter_context(weakening.applied(self.lab, parties))
                for twin in members:
                    self.say(f"without its control: {twin.case.id}")
                    twin.weakened = twin.attempt(without_control, self._switching, number, unless=self._stopped)
                with self._switching.by(number):
                    stack.close()
        except RestoreError as error:
            # What follows at this target would be tried with more than its own control switched off.
            for twin in lane[lane.index(members[0]) :]:
                twin.error = error
        except PacslabError as error:
            for twin in members:
                twin.error = error


def lanes_of(twins: Sequence[Twin], site: Site) -> list[list[Twin]]:
    """Which cases follow each other: those of one target, and those that change files or services of the same host."""
    lanes: list[tuple[set[str], list[Twin]]] = []
    for twin in twins:
        parties = twin.scene.parties
        changing = (change for change in twin.case.weakenings if isinstance(change, EditedFiles | ReplacedService))
        hosts = {parties.target, *(change.host(site, parties) for change in changing)}
        met = [lane for lane in lanes if lane[0] & hosts]
        lanes = [lane for lane in lanes if lane not in met]
        lanes.append((hosts.union(*(lane[0] for lane in met)), [*(held for lane in met for held in lane[1]), twin]))
    return [held for _, held in lanes]


def verdict(twin: Twin) -> Result:
    """Judge a case by its halves."""
    case, parties = twin.case, twin.scene.parties
    shipped, weakened = twin.shipped, twin.weakened
    facts = {
        "source": parties.source,
        "target": parties.target,
        "control": case.control,
        "switched_off": [weakening.text for weakening in case.weakenings],
        "shipped": shipped.good if shipped else None,
        "weakened": weakened.good if weakened else None,
    }
    said = f"as shipped: {_said(shipped)}; without the control: {_said(weakened)}"
    result = partial(judged, case.promise, parties.target, subject=f"from {parties.source}", facts=facts)
    tell = partial(result, expected=EXPECTED, observations=twin.read, seconds=twin.seconds)
    if shipped is not None and not shipped.good:  # whatever came of the other half: a control does not hold
        remedy = f"Find out why this does not hold on {parties.target}: {case.control}."
        return tell(Outcome.FAILED, observed=said, remedy=remedy)
    if twin.error is not None or shipped is None or weakened is None:
        error = twin.error or CaseMistakeError("The case was not tried to its end.", remedy="Try it again.")
        return tell(Outcome.ERROR, observed=said, reason=error.message, remedy=error.remedy)
    if not weakened.good:
        remedy = f"The case proves nothing: see what else stops its attempt ({HOW})."
        return tell(Outcome.FAILED, observed=said, remedy=remedy)
    return tell(Outcome.PASSED, observed=said)


def _said(half: Half | None) -> str:
    return half.said if half else "not tried"
