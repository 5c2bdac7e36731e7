"""A listener beside the lab: a container on a Docker bridge of its own, which no lab host may reach."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lab.deadline import wait_until
from lab.engine import names
from lab.engine.client import NotFoundError
from lab.engine.execute import execute
from lab.errors import EngineError
from lab.verify.attempting import PROGRAM, TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.engine.client import Docker
    from lab.engine.lab import Lab

PORT = 7000
PART = "sink"
LISTENER = Path(__file__).with_name("listener.py").read_text("utf-8")


@dataclass(frozen=True)
class Sink:
    """The listener: its address, and the neighbour that must reach it."""

    docker: Docker
    container: str
    neighbour: str
    address: str
    neighbour_address: str

    def neighbour_reaches_it(self) -> bool:
        """The positive control: a container of the same bridge connects."""
        task = json.dumps({"timeout": TIMEOUT, "rate": 10, "targets": [["tcp", self.address, PORT]]})
        done = execute(self.docker, self.neighbour, ["python3", "-I", "-", task], input=PROGRAM)
        return done.code == 0 and done.read(list[str], self.neighbour) == ["connected"]

    def strangers(self) -> list[str]:
        """Addresses other than the neighbour's from which the listener was reached."""
        done = execute(self.docker, self.container, ["cat", "/tmp/peers"])  # noqa: S108 - inside the sink's container
        return sorted({line for line in done.stdout.split() if line != self.neighbour_address})


@contextmanager
def sink(lab: Lab) -> Iterator[Sink]:
    """Make the sink and its neighbour, and remove them whatever happens.

    Raises:
        EngineError: Docker cannot make them.
    """
    docker = lab.docker
    network = f"pacslab-{lab.name}-{PART}"
    containers = [network, f"{network}-neighbour"]
    _remove(docker, network, containers)  # of a run that was killed
    try:
        labels = {names.LAB: lab.name, names.PART: PART}
        docker.call("POST", "/networks/create", body={"Name": network, "Driver": "bridge", "Labels": labels})
        image = docker.inspect(lab.container(next(iter(lab.site.managed))))["Image"]
        listener = ["sh", "-c", 'exec python3 -I -c "$1" "$2" >/tmp/peers', "sh", LISTENER, str(PORT)]
        for container, command in zip(containers, (listener, ["sleep", "600"]), strict=True):
            docker.create(container, _body(image, command, network, labels))
            docker.start(container)
        addresses = [_address(docker, container, network) for container in containers]
        made = Sink(docker, containers[0], containers[1], addresses[0], addresses[1])
        _await(made)
        yield made
    finally:
        _remove(docker, network, containers)


def _body(image: str, command: list[str], network: str, labels: dict[str, str]) -> dict[str, object]:
    return {
        "Image": image,
        "Entrypoint": command,
        "Cmd": [],
        "Labels": labels,
        "StopSignal": "SIGKILL",
        "HostConfig": {"NetworkMode": network, "CapDrop": ["ALL"], "AutoRemove": False},
    }


def _address(docker: Docker, container: str, network: str) -> str:
    return str(docker.inspect(container)["NetworkSettings"]["Networks"][network]["IPAddress"])


def _await(made: Sink) -> None:
    if not wait_until(made.neighbour_reaches_it, seconds=10, pause=0.2):
        raise EngineError(
            f"The sink at {made.address}:{PORT} does not answer its own neighbour, so it would prove nothing.",
            remedy="Docker's bridge networks must work on this machine: look at 'docker info' and its log.",
        )


def _remove(docker: Docker, network: str, containers: list[str]) -> None:
    for container in containers:
        docker.remove(container)
    try:
        docker.call("DELETE", f"/networks/{network}")
    except NotFoundError:
        return
