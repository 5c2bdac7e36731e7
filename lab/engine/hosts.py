"""The containers of a lab: which exist, which are to be made, and how they start, run and end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from lab.engine import names
from lab.engine.execute import execute
from lab.engine.keeping import carry
from lab.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from lab.engine.client import Docker
    from lab.engine.spec import Spec

STOP_SECONDS = 100
"""Longer than systemd waits for any unit (90 s): systemd ends a unit that hangs, not Docker all of systemd."""
WORKERS = 8
NEXT = ".next"
"""Ends the name of a container that is to take the place of another and has not got its data yet."""
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Running:
    """A container that exists: its Docker state, its process id on the machine (0 when stopped), and its digest."""

    id: str
    name: str
    state: str
    pid: int
    digest: str
    image: str


def observe(docker: Docker, lab: str) -> dict[str, Running]:
    """Every container of a lab by host name (the fabric by its own)."""
    found = docker.containers(f"{names.LAB}={lab}")
    found.sort(key=lambda container: not _called(container).endswith(NEXT))  # of two of one host the old one counts
    listed = {
        container["Labels"].get(names.HOST) or container["Labels"].get(names.PART, ""): container for container in found
    }
    inspected = docker.inspect_all(container["Id"] for container in listed.values())
    return {
        host: Running(
            id=container["Id"],
            name=_called(container),
            state=inspected[container["Id"]]["State"]["Status"],
            pid=int(inspected[container["Id"]]["State"]["Pid"]),
            digest=container["Labels"].get(names.SPEC, ""),
            image=container["ImageID"],
        )
        for host, container in listed.items()
        if container["Id"] in inspected
    }


def ensure(
    docker: Docker, spec: Spec, there: Running | None, folders: Sequence[str] = (), scratch: Path | None = None
) -> bool:
    """Make the container be as its spec says, and run; True when it was made or started.

    One that is made again keeps what it has in ``folders``; ``scratch`` is a folder of the machine for what is on its
    way.
    """
    if there and there.digest == spec.digest:
        if there.name != spec.name:  # an earlier attempt was interrupted, after the old one had gone
            docker.rename(there.name, spec.name)
        if there.state == "running":
            return False
        if there.state == "paused":
            docker.call("POST", f"/containers/{spec.name}/unpause")
            return True
    elif there and folders and scratch:
        _replace(docker, spec, there, folders, scratch)
    else:
        if there:
            docker.remove(there.name)
        docker.create(spec.name, spec.body)
    docker.start(spec.name)
    return True


def _replace(docker: Docker, spec: Spec, there: Running, folders: Sequence[str], scratch: Path) -> None:
    """Put a new container in the place of an old one, with the old one's data; it has not started yet."""
    following = spec.name + NEXT
    if there.name == following:  # of an earlier attempt, after which the description changed
        docker.rename(following, spec.name)
    docker.remove(following)
    if there.state == "paused":
        docker.call("POST", f"/containers/{spec.name}/unpause")
    docker.stop(spec.name, STOP_SECONDS)
    docker.create(following, spec.body)
    carry(docker, spec.name, following, folders, scratch)
    docker.remove(spec.name)
    docker.rename(following, spec.name)


def _called(container: dict[str, Any]) -> str:
    return str(container["Names"][0]).lstrip("/")


def pids(docker: Docker, lab: str, hosts: Iterable[str]) -> dict[str, int]:
    """The process ids of the hosts' first processes, for those that run."""
    wanted = {names.container(lab, host): host for host in hosts}
    return {
        wanted[name]: int(inspected["State"]["Pid"])
        for name, inspected in docker.inspect_all(wanted).items()
        if inspected["State"]["Status"] == "running"
    }


def wait_for_systemd(docker: Docker, lab: str, running: Mapping[str, int], timeout: float) -> list[str]:
    """Wait until systemd of every host takes orders; the answer is the hosts where it does not.

    Its socket is looked for from the fabric, for all hosts with one command. Nothing of a host's own is run there:
    the fabric sees the machine's processes, and a host that has been taken over must not gain that.
    """
    script = (
        "for pid; do while [ -d /proc/$pid ] && ! [ -S /proc/$pid/root/run/systemd/private ]; do sleep 0.1; done; "
        "[ -d /proc/$pid ] && echo $pid; done"
    )
    argv = ["sh", "-c", script, "sh", *(str(pid) for pid in running.values())]
    done = execute(docker, names.fabric(lab), argv, timeout=timeout)
    ready = set(done.stdout.split())
    return [host for host, pid in running.items() if str(pid) not in ready]


def in_parallel(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Do the same for many; the first error is raised when all have ended."""
    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        return list(pool.map(work, items))


def stop_all(docker: Docker, containers: Iterable[str]) -> None:
    """Shut hosts down cleanly, all at once.

    Raises:
        EngineError: a host had to be killed, so what it kept on disk may not be whole.
    """
    stopping = list(containers)
    in_parallel(lambda name: docker.stop(name, STOP_SECONDS), stopping)
    killed = [name for name, inspected in docker.inspect_all(stopping).items() if inspected["State"]["ExitCode"] == 137]  # noqa: PLR2004 # 128 + SIGKILL
    if killed:
        raise EngineError(
            f"{', '.join(killed)} did not shut down within {STOP_SECONDS} s and had to be killed.",
            remedy="Start it again ('pacslab up') and look at what hangs: 'pacslab logs HOST'.",
        )
