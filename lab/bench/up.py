"""How long a lab takes to come up, against as many bare hosts of the base image."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from lab.bench.figures import Figure, alternate
from lab.deadline import Deadline
from lab.engine import names
from lab.engine.client import Docker
from lab.engine.execute import execute
from lab.engine.hosts import ensure, in_parallel
from lab.engine.images import Images
from lab.engine.requirements import require
from lab.engine.spec import host_spec
from lab.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.topology.site import Site

BARE, MADE, CLONE = "bench-bare", "bench-made", "bench-clone"
SNAPSHOT = "bench"
MOST_FROM_SNAPSHOT = 2.0
MOST_CONFIGURED = 6.0
RUNNING_SECONDS = 120


def bench_up(site: Site, repetitions: int, say: Callable[[str], None]) -> list[Figure]:
    """Compare bare hosts, a lab from a snapshot, and a lab configured with Ansible, alternating.

    Images and the snapshot are made before the clock starts; whatever was made is removed at the end.

    Raises:
        EngineError: a lab did not come up, or a bare host did not reach ``running``.
    """
    docker = Docker()
    try:
        say("making the images and the snapshot")
        _pacslab("up", "--site", site.name, "--lab", MADE)
        _pacslab("snapshot", "save", SNAPSHOT, "--lab", MADE)
        _pacslab("down", "--lab", MADE)
        runs = {
            "bare hosts": partial(_bare, docker, site),
            "from a snapshot": partial(_timed_up, CLONE, "--from", SNAPSHOT, "--lab", CLONE),
            "configured": partial(_timed_up, MADE, "--site", site.name, "--lab", MADE),
        }
        taken = alternate(runs, repetitions, say)
    finally:
        for words in (["down", "--lab", MADE], ["down", "--lab", CLONE], ["snapshot", "remove", SNAPSHOT]):
            _command(*words)  # what was never made cannot be removed; that is no error of the measurement
    peer = f"{len(site.managed)} bare base-image hosts, to systemd running"
    return [
        Figure(
            f"up of {site.name} from a snapshot, to all services healthy",
            peer,
            taken["from a snapshot"],
            taken["bare hosts"],
            MOST_FROM_SNAPSHOT,
            faster=False,
        ),
        Figure(
            f"up of {site.name} configured with Ansible, to all services healthy",
            peer,
            taken["configured"],
            taken["bare hosts"],
            MOST_CONFIGURED,
            faster=False,
        ),
    ]


def _pacslab(*words: str) -> None:
    """Run the command as a person would, so that all that a person waits for is measured."""
    done = _command(*words)
    if done.returncode != 0:
        raise EngineError(
            f"`pacslab {' '.join(words)}` ended with {done.returncode}: {done.stderr.strip()[-500:]}",
            remedy="Run it by hand, and correct what it reports.",
        )


def _command(*words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "lab.cli.main", *words]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def _timed_up(lab: str, *words: str) -> float:
    begun = time.monotonic()
    _pacslab("up", *words)
    seconds = time.monotonic() - begun
    _pacslab("down", "--lab", lab)
    return seconds


def _bare(docker: Docker, site: Site) -> float:
    """Start as many hosts of the base image as the site has, wait until systemd of each is running, remove them."""
    cgroups = require(docker)
    image = _base_image(docker)
    specs = {host: host_spec(BARE, site, host, image, cgroups) for host in site.managed}
    begun = time.monotonic()
    try:
        in_parallel(lambda host: ensure(docker, specs[host], None), specs)
        with ThreadPoolExecutor(max_workers=len(specs)) as pool:
            list(pool.map(partial(_await_running, docker), specs))
        return time.monotonic() - begun
    finally:
        in_parallel(lambda host: docker.remove(names.container(BARE, host)), specs)


def _base_image(docker: Docker) -> str:
    """The newest image that holds no role."""
    found = Images(docker.path).listed("pacslab.roles=")
    if not found:
        raise EngineError("There is no base image.", remedy="Run `pacslab build`.")
    return str(max(found, key=lambda image: image["Created"])["Id"])


def _await_running(docker: Docker, host: str) -> None:
    """Wait until systemd says ``running``; before its socket is there, ``systemctl`` cannot even ask."""
    container = names.container(BARE, host)
    deadline = Deadline(RUNNING_SECONDS)
    while True:
        state = execute(docker, container, ["systemctl", "is-system-running", "--wait"], timeout=RUNNING_SECONDS)
        answer = state.stdout.strip()
        if answer == "running":
            return
        if answer in {"degraded", "maintenance"} or deadline.over:
            raise EngineError(
                f"Bare host {host} is {answer or state.stderr.strip()}, not running.",
                remedy="Run `systemctl --failed` in a container of the base image.",
            )
        deadline.pause(0.2)
