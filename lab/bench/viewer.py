"""How soon a person sees an image in the viewer, and what fifty do to each other, against plain Orthanc.

One person opens a study in a real browser (``opening.py``). Of fifty at once, what OHIF asks for is measured: a search,
the study's series, their objects' data, then images one after the other; and the same requests to the archive's own
DICOMweb interface, on its host: without a sign-on, a gateway, an edge and a network between.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.bench.crowd import enlarge
from lab.bench.figures import Figure, alternate
from lab.bench.opening import at_plain_orthanc, browser, in_viewer
from lab.bench.programs import program
from lab.deadline import wait_until
from lab.errors import EngineError
from lab.events import Bus
from lab.hospital.archive import CREDENTIALS, Archive
from lab.hospital.hospital import Hospital
from lab.hospital.modality import Modality
from lab.hospital.programs import program as hospital_program
from lab.hospital.record import Record
from lab.hospital.ris import Ris
from lab.hospital.viewer import Viewer
from lab.operate.trial import trial_lab
from lab.scenarios.examination.course import CT_HEAD, ECHO, scheduled
from lab.trust.one_time_password import PERIOD
from lab.trust.personal import personal_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lab.engine.lab import Lab
    from lab.hospital.record import Procedure
    from lab.settings import Settings

PEOPLE = 50
IMAGES, MATRIX = 108, 512
"""Of the study that is opened: as many as a CT of the head has."""
SCROLLED = 12
"""Images that each of many people looks at."""
LONGEST, SLOWER = 3.0, 1.3
"""Seconds to the first image, and how many times as long as at plain Orthanc: both at most."""
WITHIN = 900.0
PURPOSE = "crowd"
"""The clone is called ``<lab>-crowd``."""
OURS, PLAIN = "in the viewer", "at plain Orthanc"


@dataclass(frozen=True)
class Read:
    """What came of somebody's reading; see ``programs/readers.py``."""

    name: str
    signed_in: bool
    signing_in: float
    first: float
    seconds: float
    frames: int
    wrong: list[str]


@dataclass(frozen=True)
class Study:
    """A study, and the archive that has it."""

    number: str
    archive: str


def bench_viewer(settings: Settings, lab: Lab, repetitions: int, say: Callable[[str], None]) -> list[Figure]:
    """Measure it on a clone that has fifty people more, half of them of each of two departments.

    Raises:
        UsageError: the site has no viewer.
        MachineNotReadyError: there is no browser, or nothing that drives it.
        EngineError: somebody was refused wrongly, saw what is somebody else's, or did not see an image.
    """
    Viewer.of(lab)
    with trial_lab(settings, lab, PURPOSE, Bus()) as small:
        clone, people = enlarge(small, PEOPLE, Bus())
        hospital = Hospital(clone)
        own, other = _examined(hospital, CT_HEAD, IMAGES, MATRIX), _examined(hospital, ECHO, SCROLLED, MATRIX)
        say(f"{len(people)} people more, {IMAGES} images of {MATRIX} by {MATRIX}")
        studies = {"Radiology": (own, other), "Cardiology": (other, own)}
        crowd = [_reader(clone, name, *studies[department]) for name, department in people.items()]
        alone = [reader for reader in crowd if reader["study"] == own.number]
        with (
            browser(clone) as context,
            at_plain_orthanc(context, clone, own.archive, _user(clone, own), own.number) as plain,
        ):
            ours = in_viewer(context, clone, alone[-1]["name"], own.number)
            for opened in (ours, plain):
                opened()  # from now on the browser has the pages
            opening = alternate({OURS: ours, PLAIN: plain}, repetitions, say)
        turns = iter(alone * repetitions)
        asking = alternate(
            {
                OURS: lambda: _first(read_in_viewer(clone, [next(turns)], 1)),
                PLAIN: lambda: _first(read_plain(clone, own, [alone[0]], 1)),
            },
            repetitions,
            say,
        )
        began = int(time.time()) // PERIOD
        wait_until(lambda: int(time.time()) // PERIOD > began, PERIOD + 1, 0.2)  # a code is taken once
        many = alternate(
            {
                OURS: lambda: _longest(read_in_viewer(clone, crowd, SCROLLED), say),
                PLAIN: lambda: _longest(read_plain(clone, own, alone * 2, SCROLLED), say),
            },
            1,
            say,
        )
    what = f"from opening a study of {IMAGES} images to the first one that is drawn, {OURS}"
    asked = f"what is asked for from opening it to the first image, {OURS}"
    amounts = {"images": PEOPLE * SCROLLED}
    scrolled = f"{PEOPLE} people at once, each from opening a study through {SCROLLED} images, {OURS}"
    return [
        Figure(what, f"the same OHIF {PLAIN}, on its host", opening[OURS], opening[PLAIN], SLOWER, faster=False),
        Figure(what, f"{LONGEST:g} s", opening[OURS], (LONGEST,) * repetitions, 1.0, faster=False),
        Figure(asked, f"the same requests {PLAIN}, on its host", asking[OURS], asking[PLAIN], None, faster=False),
        Figure(
            scrolled,
            f"the same requests {PLAIN}, on its host",
            many[OURS],
            many[PLAIN],
            None,
            faster=False,
            amounts=amounts,
        ),
    ]


def read_in_viewer(lab: Lab, readers: Sequence[Mapping[str, str]], images: int) -> list[Read]:
    """Have people sign in at the workstation where they do, and read in the viewer.

    Raises:
        EngineError: something was otherwise than it has to be.
    """
    viewer = Viewer.of(lab)
    told = {
        "base": f"{viewer.address}/dicom-web",
        "session": f"{viewer.address}/gateway/session",
        "page": f"{viewer.address}/",
        "sites": [viewer.address, viewer.sign_on.address],
        "portal": hospital_program("portal.py").decode(),
    }
    return _read(lab, viewer.sign_on.caller, {**told, "images": images, "readers": list(readers)})


def read_plain(lab: Lab, study: Study, readers: Sequence[Mapping[str, str]], images: int) -> list[Read]:
    """Have the same asked of the archive's own interface, on its host.

    Raises:
        EngineError: an image did not come.
    """
    port = lab.site.services(study.archive)["http"].port
    known_to_nobody = [
        {"name": str(number), "study": reader["study"], "foreign": ""} for number, reader in enumerate(readers)
    ]
    told = {
        "base": f"http://127.0.0.1:{port}/dicom-web",
        "user": _user(lab, study),
        "images": images,
        "readers": known_to_nobody,
    }
    return _read(lab, study.archive, told)


def _user(lab: Lab, study: Study) -> str:
    """Name and password for the archive's own interface."""
    named = re.search(r'^user = "(.*)"$', lab.run(study.archive, ["cat", CREDENTIALS]).stdout, re.MULTILINE)
    if named is None:
        raise EngineError(f"{study.archive} has no credentials in {CREDENTIALS}.", remedy="Configure it again.")
    return named[1]


def _read(lab: Lab, host: str, told: Mapping[str, Any]) -> list[Read]:
    argv = ["python3", "-I", "-c", program("readers.py").decode()]
    done = lab.run(host, argv, input=json.dumps(told).encode(), timeout=WITHIN)
    if done.code != 0:
        raise EngineError(f"Nobody read at {host}: {done.stderr.strip()[-300:]}", remedy=f"See 'pacslab logs {host}'.")
    return judged(done.read(list[Read], host), int(told["images"]))


def judged(found: Sequence[Read], images: int) -> list[Read]:
    """What people read, where nothing was otherwise than it has to be.

    Raises:
        EngineError: somebody was not let in, found what is somebody else's, was refused, or saw too few images.
    """
    wrong = [f"{read.name} {fault}" for read in found for fault in read.wrong]
    wrong += [f"{read.name} saw {read.frames} of {images} images" for read in found if read.frames < images]
    if not found or wrong:
        raise EngineError(
            f"{len(wrong)} things are not as they have to be among {len(found)} people: {'; '.join(wrong[:5])}.",
            remedy="The sign-on's and the viewer's log have each request with the person's name.",
        )
    return list(found)


def _first(found: Sequence[Read]) -> float:
    return max(read.first for read in found)


def _longest(found: Sequence[Read], say: Callable[[str], None]) -> float:
    """The seconds of the slowest; what else is worth knowing is said."""
    first = sorted(read.first for read in found)
    signing_in = max(read.signing_in for read in found)
    say(f"first image: {first[len(first) // 2]:.2f} s for half of them, {first[-1]:.2f} s at most")
    if signing_in:
        say(f"signed in within {signing_in:.1f} s at most")
    return max(read.seconds for read in found)


def _reader(lab: Lab, name: str, own: Study, foreign: Study) -> dict[str, str]:
    """A person, with what the lab has made for signing in."""
    return {
        "name": name,
        "password": personal_secret(lab.site, lab.folder, name, "password"),
        "seed": personal_secret(lab.site, lab.folder, name, "one-time-password"),
        "study": own.number,
        "foreign": foreign.number,
    }


def _examined(hospital: Hospital, procedure: Procedure, images: int, matrix: int) -> Study:
    """A new patient's examination.

    Raises:
        EngineError: the archive has not all of its images.
    """
    patient = Record.of(hospital).register(f"Crowd{secrets.token_hex(3).upper()}", procedure.code.title()).patient
    placed = Record.of(hospital).order(patient.identifier, procedure)
    found = scheduled(hospital, Ris.of(hospital).show(str(placed.accession)).procedure)
    Modality(hospital, found.station).perform(
        "acquire", found.accession, "--images", str(images), "--matrix", str(matrix)
    )
    there = Archive(hospital.lab, found.archive).count("Instance", StudyInstanceUID=found.study)
    if there < images:
        raise EngineError(f"{found.archive} has {there} of {images} images.", remedy="See 'pacslab-modality pending'.")
    return Study(found.study, found.archive)
