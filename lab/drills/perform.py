"""Performs a drill: the load before, the fault with the load during it, the notice, the repair, and the counts."""

from __future__ import annotations

import json
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.deadline import wait_until
from lab.drills.faults import cut_power
from lab.drills.scene import Scene
from lab.drills.unfit import UnfitError
from lab.errors import EngineError, PacslabError
from lab.events import Bus
from lab.hospital.hospital import Hospital
from lab.operate.bring_up import LabBringUp
from lab.results.model import Observation, Outcome, judged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from lab.drills.model import Count, Drill, Load
    from lab.engine.lab import Lab
    from lab.results.model import Result

HEALTHY_WITHIN = 120.0
"""Seconds in which a lab has to be healthy again before a fault is made in it."""
SETTLES_WITHIN = 20.0
"""Seconds that a lab is given between two faults, before it is brought up."""
PAUSE = 0.5


@dataclass
class Course:
    """What came of a drill at one subject."""

    noticed: str = ""
    noticed_after: float | None = None
    healthy_after: float | None = None
    unhealthy: str = ""
    counts: list[Count] = field(default_factory=list)

    def wrong(self, drill: Drill) -> list[str]:
        """What did not come out as it has to."""
        found = []
        if self.noticed_after is None:
            found.append(f"not noticed within {drill.noticed.within:g} s: {drill.noticed.text}")
        if self.healthy_after is None:
            found.append(f"not healthy within {drill.repair.within:g} s: {self.unhealthy}")
        return [*found, *(str(count) for count in self.counts if not count.good)]

    def said(self) -> str:
        """In words."""
        parts = [f"noticed after {self.noticed_after:.1f} s: {self.noticed}"] if self.noticed_after is not None else []
        parts += (
            [f"healthy {self.healthy_after:.1f} s after the repair began"] if self.healthy_after is not None else []
        )
        return "; ".join([*parts, *map(str, self.counts)])


def perform(
    drills: Iterable[Drill],
    lab: Lab,
    say: Callable[[str], None],
    hosts: Sequence[str] = (),
    sizes: Mapping[str, int] | None = None,
) -> Iterator[Result]:
    """Perform drills on a lab, one subject after the other; yield a result for each, up to one that leaves no lab.

    Args:
        drills: Which.
        lab: A lab that may be harmed.
        say: Told what is going on, one line at a time.
        hosts: Only subjects at these hosts; none for all.
        sizes: Other sizes than a drill's own, for those that have them.
    """
    for drill in drills:
        every = list(drill.subjects(lab.site))
        subjects = [subject for subject in every if not hosts or subject.host in hosts]
        if not every:
            reason = "the site has nothing where this fault could be made"
            yield judged(drill.promise, lab.site.name, Outcome.NOT_APPLICABLE, reason=reason)
        for number, subject in enumerate(subjects, start=1):
            say(f"{drill.id} {number}/{len(subjects)}: {subject}")
            own = {name: (sizes or {}).get(name, size) for name, size in drill.sizes.items()}
            try:
                _bring_up(lab)
            except PacslabError as error:
                reason = f"the lab cannot be brought up, so no fault is made in it: {error.message}"
                yield judged(drill.promise, subject.host, Outcome.ERROR, reason=reason, remedy=error.remedy)
                return
            result = _judged(drill, Scene(Hospital(lab), subject, say, sizes=own))
            if result.outcome is Outcome.ERROR:
                _leave_nothing(lab, subject.host)
            yield result


def _leave_nothing(lab: Lab, host: str) -> None:
    """End what may be left of a fault that was not taken away, such as a small disk: no power cut leaves it there."""
    with suppress(EngineError):  # it is off already
        cut_power(lab, host)


def _judged(drill: Drill, scene: Scene) -> Result:
    subject = scene.subject
    began, course = time.monotonic(), Course()
    expected = (
        f"noticed within {drill.noticed.within:g} s ({drill.noticed.text}); healthy within {drill.repair.within:g} s "
        f"({drill.repair.text}); {drill.counted}: each once"
    )
    try:
        _perform(drill, scene, course)
    except UnfitError as unfit:
        return judged(drill.promise, subject.host, Outcome.NOT_APPLICABLE, subject=subject.part, reason=str(unfit))
    except PacslabError as error:
        outcome, rest = Outcome.ERROR, {"reason": error.message, "remedy": error.remedy}
    except Exception as error:  # noqa: BLE001 # a mistake of a drill is told as one, and the other drills go on
        read = (Observation(traceback.format_exc(), f"traceback of {drill.id}", time.time()),)
        said = f"a mistake of the drill: {type(error).__name__}: {error}"
        return judged(
            drill.promise, subject.host, Outcome.ERROR, subject=subject.part, expected=expected, observed=course.said(),
            reason=said, remedy="The run keeps the traceback.", observations=read, seconds=time.monotonic() - began,
        )  # fmt: skip
    else:
        wrong = course.wrong(drill)
        outcome = Outcome.FAILED if wrong else Outcome.PASSED
        rest = {"remedy": f"Look at {'; '.join(wrong)}."} if wrong else {}
    return judged(
        drill.promise,
        subject.host,
        outcome,
        subject=subject.part,
        expected=expected,
        observed=course.said(),
        observations=scene.hospital.trail.take(),
        seconds=time.monotonic() - began,
        facts={
            "noticed_after": course.noticed_after,
            "healthy_after": course.healthy_after,
            "counts": [vars(count) for count in course.counts],
            **scene.sizes,
        },
        **rest,
    )


def _perform(drill: Drill, scene: Scene, course: Course) -> None:
    with drill.prepared(scene):
        _go_through(drill, scene, course)


def _bring_up(lab: Lab) -> None:
    """Bring up a lab that is not healthy, and does not become so by itself.

    Raises:
        PacslabError: it cannot be brought up.
    """
    if not _healthy(lab, SETTLES_WITHIN):
        LabBringUp(lab, Bus()).run()


def _go_through(drill: Drill, scene: Scene, course: Course) -> None:
    lab, loads = scene.lab, list(drill.loads(scene.site, scene.subject))
    if not _healthy(lab, HEALTHY_WITHIN):
        raise EngineError(
            f"The lab is not healthy: {_unhealthy(lab)}.", remedy="Run `pacslab up`, then the drill again."
        )
    _send(loads, scene, "before")
    scene.since, fault_at = time.time(), time.monotonic()
    with ThreadPoolExecutor(max_workers=1) as watch, drill.fault(scene):
        watching = watch.submit(_watch, drill, scene, course, fault_at)  # the work takes its own time meanwhile
        _send(loads, scene, "during")
        watching.result()
    repair_at = time.monotonic()
    drill.repair.act(scene)
    if _healthy(lab, drill.repair.within - (time.monotonic() - repair_at)):
        course.healthy_after = time.monotonic() - repair_at
    else:
        course.unhealthy = _unhealthy(lab)
        LabBringUp(lab, Bus()).run()
    _send(loads, scene, "after")

    def look() -> bool:
        course.counts = [count for load in loads for count in load.count(scene)]
        return all(count.good for count in course.counts)

    wait_until(look, drill.settles, PAUSE)
    counted = json.dumps([vars(count) for count in course.counts])
    scene.hospital.trail.note(counted, f"counts after {drill.id} at {scene.subject}", time.time())


def _watch(drill: Drill, scene: Scene, course: Course, fault_at: float) -> None:
    """Look until the fault is noticed, and note after how many seconds, or until it is too late."""
    left = max(0.0, drill.noticed.within - (time.monotonic() - fault_at))
    course.noticed = wait_until(lambda: drill.noticed.look(scene), left, PAUSE)
    if course.noticed:
        course.noticed_after = time.monotonic() - fault_at


def _send(loads: Sequence[Load], scene: Scene, phase: str) -> None:
    for load in loads:
        load.send(scene, phase)


def _healthy(lab: Lab, seconds: float) -> bool:
    return wait_until(lambda: all(host.healthy for host in lab.health().values()), max(0.0, seconds), PAUSE)


def _unhealthy(lab: Lab) -> str:
    found = {name: host.first_failure() for name, host in lab.health().items() if not host.healthy}
    return "; ".join(f"{name}: {service} {detail}".rstrip() for name, (service, detail) in found.items())
