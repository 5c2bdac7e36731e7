"""`up` is killed on its way, at 20 moments; run again it goes on, and nothing is left over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lab.drills.model import Count, Drill, Noticed, Repair
from lab.drills.subject import Subject
from lab.errors import EngineError
from lab.settings import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.drills.scene import Scene
    from lab.topology.site import Site

MOMENTS = 20
SECONDS = 900
LONGEST_NAME = 31


def moments(site: Site) -> list[Subject]:
    """Moments of `up`, evenly spread over the time that it takes."""
    return [Subject(site.gateway, f"moment {number} of {MOMENTS}") for number in range(1, MOMENTS + 1)]


def name_of(scene: Scene) -> str:
    """The lab that is brought up for the drill, and removed again."""
    return f"{scene.lab.name[: LONGEST_NAME - 3]}-up"


def pacslab(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command, as a person does."""
    argv = [sys.executable, "-m", "lab.cli.main", *words]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)


@lru_cache(maxsize=4)
def duration(site: str, lab: str) -> float:
    """How long `up` takes when nobody kills it, in seconds, from images that are there.

    Raises:
        EngineError: it failed.
    """
    pacslab("down", "--lab", lab)
    began = time.monotonic()
    done = pacslab("up", "--site", site, "--lab", lab)
    if done.returncode:
        raise EngineError(f"`up` of lab {lab} failed: {done.stderr.strip()[-300:]}", remedy="See `pacslab check`.")
    return time.monotonic() - began


@contextmanager
def own_lab(scene: Scene) -> Iterator[None]:
    """A lab of the same site beside the other, which is gone before and after."""
    scene.facts["seconds"] = duration(scene.site.name, name_of(scene))
    pacslab("down", "--lab", name_of(scene))
    try:
        yield
    finally:
        pacslab("down", "--lab", name_of(scene))


@contextmanager
def killed(scene: Scene) -> Iterator[None]:
    """Start `up` in a session of its own, and kill all of it at the moment."""
    number = int(scene.subject.part.split()[1])
    argv = [sys.executable, "-m", "lab.cli.main", "up", "--site", scene.site.name, "--lab", name_of(scene)]
    with subprocess.Popen(
        argv, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as running:
        try:
            running.wait(scene.facts["seconds"] * number / (MOMENTS + 1))
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
    yield


def planned(scene: Scene) -> dict[str, Any]:
    """What `plan` says of the lab."""
    done = pacslab("plan", "--site", scene.site.name, "--lab", name_of(scene), "--json")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def lacking(scene: Scene) -> str:
    """What is missing, as `status` or `plan` have it; where `up` had ended before, that it is whole."""
    status = pacslab("status", "--lab", name_of(scene))
    if status.returncode:
        lines = (status.stdout or status.stderr).strip().splitlines()
        return f"status ends with {status.returncode}: {lines[-1][:120] if lines else ''}"
    plan = planned(scene)
    return "plan names what is missing" if plan["changes"] else "up had ended: nothing is missing"


def again(scene: Scene) -> None:
    """`up` once more."""
    done = pacslab("up", "--site", scene.site.name, "--lab", name_of(scene))
    scene.facts["code"], scene.facts["said"] = done.returncode, done.stderr.strip()[-300:]


@dataclass
class Whole:
    """The lab as it is afterwards: healthy, as described, and with nothing left over."""

    def send(self, scene: Scene, phase: str) -> None:
        """Nothing is sent."""
        del scene, phase

    def count(self, scene: Scene) -> Sequence[Count]:
        """Its healthy hosts, what is missing, and what `doctor` names of it."""
        status = pacslab("status", "--lab", name_of(scene), "--json")
        hosts = json.loads(status.stdout).get("hosts", [])
        doctor = json.loads(pacslab("doctor", "--json").stdout)["left_over"]
        left = [entry for entry in doctor if name_of(scene) in entry["name"]]
        why = "" if scene.facts["code"] == 0 else f" (`up` ended with {scene.facts['code']}: {scene.facts['said']})"
        return [
            Count(
                f"hosts healthy after `up` again{why}", len(scene.site.hosts), sum(host["healthy"] for host in hosts)
            ),
            Count("changes that `plan` still names", 0, int(planned(scene)["changes"])),
            Count("things left over", 0, len(left)),
        ]


DRILLS = (
    Drill(
        "drill.kill-up",
        "`up` is killed on its way",
        subjects=moments,
        prepared=own_lab,
        fault=killed,
        noticed=Noticed("`status` or `plan` says what is missing", 20.0, lacking),
        repair=Repair("`up` once more", 300.0, again),
        loads=lambda _site, _subject: [Whole()],
        counted="hosts, what `plan` still names, what `doctor` names",
        settles=30.0,
    ),
)
