"""Kinds of faults: a disk that is full, a host or a service that is killed."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lab.drills.loads import sends_log
from lab.drills.unfit import UnfitError
from lab.engine.memory import limits
from lab.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.drills.scene import Scene
    from lab.engine.lab import Lab

BALLAST = ".pacslab-drill"
VOLUME = "/run/pacslab-drill"
SMALL = """set -eu
folder=$1 megabytes=$2; shift 2
[ $# = 0 ] || systemctl stop "$@" 2>/dev/null
mkdir -p $VOLUME
used=$(du -sm "$folder" | cut -f1)
mount -t tmpfs -o size=$((used + megabytes))m tmpfs $VOLUME
cp -a "$folder/." $VOLUME/
chown --reference="$folder" $VOLUME; chmod --reference="$folder" $VOLUME
mount --bind $VOLUME "$folder"
[ $# = 0 ] || systemctl start "$@"
""".replace("$VOLUME", VOLUME)
LARGE = """set -eu
leave() { # probes and readers of the log look into it for a moment
    left=100
    until why=$(umount "$1" 2>&1); do
        left=$((left - 1))
        [ $left -gt 0 ] || { echo "$why" >&2; exit 32; }
        sleep 0.2
    done
}
folder=$1; shift
[ $# = 0 ] || systemctl stop "$@" 2>/dev/null
leave "$folder"
find "$folder" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
cp -a $VOLUME/. "$folder/"
leave $VOLUME
[ $# = 0 ] || systemctl start "$@"
""".replace("$VOLUME", VOLUME)
FILL = """dd if=/dev/zero of="$1" bs=1M 2>/dev/null
dd if=/dev/zero of="$1" bs=512 oflag=append conv=notrunc 2>/dev/null
true
"""
ROOM = 700
"""Megabytes that a small disk has left before it is filled: more than archives keep in reserve."""


@contextmanager
def small_disk(scene: Scene, folder: str, units: Sequence[str], megabytes: int = ROOM) -> Iterator[None]:
    """Give a folder a small disk of its own, with all that it holds, while nothing uses it; afterwards it has none.

    The disk is in memory, so that the host may take that much more as long as it is there.
    """
    used = int(scene.must(["du", "-sm", "--", folder]).stdout.split()[0])
    with more_memory(scene, 2 * used + megabytes):
        scene.must(["sh", "-c", SMALL, "sh", folder, str(megabytes), *units], timeout=180)
        try:
            yield
        finally:
            scene.must(["sh", "-c", LARGE, "sh", folder, *units], timeout=180)


@contextmanager
def more_memory(scene: Scene, megabytes: int) -> Iterator[None]:
    """Let the subject's host take more memory than its roles may; afterwards no longer."""
    most = scene.site.memory(scene.host).most
    limit(scene.lab, scene.host, most + megabytes)
    try:
        yield
    finally:
        limit(scene.lab, scene.host, most)


def limit(lab: Lab, host: str, megabytes: int) -> None:
    """Set how much memory a host may take."""
    lab.docker.call("POST", f"/containers/{lab.container(host)}/update", body=limits(megabytes))


@contextmanager
def full_disk(scene: Scene, folder: str) -> Iterator[None]:
    """Fill the disk of a folder to its last block; afterwards what fills it is gone."""
    path = f"{folder}/{BALLAST}"
    scene.must(["sh", "-c", FILL, "sh", path], timeout=120)
    try:
        yield
    finally:
        scene.must(["rm", "-f", path])


@contextmanager
def killed_host(scene: Scene) -> Iterator[None]:
    """Kill a host as a power cut does: all of its processes at once, and nothing is written any more."""
    cut_power(scene.lab, scene.host)
    yield


def cut_power(lab: Lab, host: str) -> None:
    """Kill a host, which stays off until it is started."""
    lab.docker.call("POST", f"/containers/{lab.container(host)}/kill", query={"signal": "KILL"})


@contextmanager
def killed_service(scene: Scene) -> Iterator[None]:
    """Kill the main process of a unit, and what it has started, with SIGKILL.

    Raises:
        UnfitError: the unit has no process: it ended after it had done its work.
    """
    unit = scene.subject.part
    if sends_log(scene.site, scene.host):
        scene.facts["mark"] = scene.hospital.collected.mark(scene.host)
    scene.facts["before"] = main_process(scene, unit)
    if scene.facts["before"] == "0":
        raise UnfitError(f"{unit} has no process that could be killed")
    scene.must(["systemctl", "kill", "--signal=SIGKILL", "--", unit])
    yield


def main_process(scene: Scene, unit: str) -> str:
    """The process id of a unit's main process; 0 when it has none."""
    return scene.lab.run(scene.host, ["systemctl", "show", "--property=MainPID", "--value", "--", unit]).stdout.strip()


def await_restart(scene: Scene, seconds: float) -> None:
    """Wait until the unit has another main process than the one that was killed, and is active.

    Raises:
        EngineError: it has not, in time.
    """
    unit, end = scene.subject.part, time.monotonic() + seconds
    while time.monotonic() < end:
        done = scene.lab.run(
            scene.host, ["systemctl", "show", "--property=MainPID,ActiveState", "--value", "--", unit]
        ).stdout.split()
        if len(done) == 2 and done[0] not in {"0", scene.facts["before"]} and done[1] == "active":  # noqa: PLR2004
            return
        time.sleep(0.2)
    raise EngineError(
        f"{unit} of {scene.host} did not come back within {seconds:g} s.", remedy=f"See `pacslab logs {scene.host}`."
    )
