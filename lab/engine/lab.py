"""A lab that was brought up: what scenarios, checks and benchmarks hold."""

from __future__ import annotations

import shlex
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lab.engine import names
from lab.engine.client import Docker
from lab.engine.execute import Completed, Stream, execute
from lab.engine.health import Device, HostHealth, ReportReader, read_health, with_devices
from lab.engine.record import LabRecord, load_record
from lab.errors import EngineError, UsageError
from lab.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lab.topology.site import Site

__all__ = ["Completed", "HostHealth", "Lab"]


class Lab:
    r"""A lab: its site, its hosts, and what can be done on them.

    >>> lab = Lab.open("reference")
    >>> lab.run("ct1", ["id", "-un"]).stdout
    'root\n'
    """

    def __init__(self, record: LabRecord, folder: Path, docker: Docker | None = None) -> None:
        """Hold the lab that ``record`` describes; nothing is asked of the engine yet."""
        self.record = record
        self.folder = folder
        self._docker = docker

    @classmethod
    def open(cls, name: str, settings: Settings | None = None) -> Lab:
        """Open a lab by name.

        Raises:
            UsageError: there is no lab of that name.
        """
        folder = (settings or load_settings()).lab_folder(name)
        record = load_record(folder)
        if record is None:
            raise UsageError(f"There is no lab {name!r}.", remedy=f"Bring it up: 'pacslab up --lab {name}'.")
        return cls(record, folder)

    @classmethod
    def describe(cls, name: str, topology: Path, folder: Path, record: LabRecord | None = None) -> Lab:
        """A lab that is about to be brought up, from its site's description; ``record`` is what is known of it.

        Raises:
            UsageError: the description has mistakes.
        """
        lab = cls(record or LabRecord(name, "", str(topology), {}), folder)
        lab.record = LabRecord.describe(name, lab.site, snapshot=lab.record.snapshot, images=lab.record.images)
        return lab

    @property
    def name(self) -> str:
        """The lab's name."""
        return self.record.lab

    @cached_property
    def docker(self) -> Docker:
        """The engine that the lab runs on."""
        return self._docker or Docker()

    @cached_property
    def site(self) -> Site:
        """The lab's site, read from its description."""
        from lab.topology.load import load_site  # noqa: PLC0415 # pydantic is slow to import, and most verbs need no site

        return load_site(Path(self.record.topology))

    def container(self, host: str) -> str:
        """The container of a host.

        Raises:
            UsageError: the lab has no such host.
        """
        if host not in self.record.hosts:
            known = ", ".join(self.record.hosts)
            raise UsageError(f"The lab {self.name!r} has no host {host!r}.", remedy=f"Its hosts: {known}.")
        return names.container(self.name, host)

    def run(
        self,
        host: str,
        argv: Sequence[str],
        *,
        timeout: float = 60,
        input: bytes | None = None,  # noqa: A002 # the name that subprocess.run gives it
        user: str = "root",
    ) -> Completed:
        """Run a command on a host; after ``timeout`` seconds it is killed and its code is 124.

        Raises:
            UsageError: the lab has no such host.
            EngineError: the host does not run. A code other than 0 is not an error.
        """
        return execute(self.docker, self.container(host), argv, timeout=timeout, input=input, user=user)

    def run_from_place(
        self,
        host: str,
        argv: Sequence[str],
        *,
        timeout: float = 60,
        input: bytes | None = None,  # noqa: A002 # the name that subprocess.run gives it
    ) -> Completed:
        """Run a program of the fabric in a host's place in the network: as from the host, and with nothing of it.

        Raises:
            UsageError: the lab has no such host.
            EngineError: the host or the fabric does not run. A code other than 0 is not an error.
        """
        pid = self.pid(host)
        entered = ["nsenter", f"--net=/proc/{pid}/ns/net", *argv]
        return execute(self.docker, names.fabric(self.name), entered, timeout=timeout, input=input)

    def pid(self, host: str) -> int:
        """The process id, on the machine, of a host's first process.

        Raises:
            UsageError: the lab has no such host.
            EngineError: the host does not run.
        """
        container = self.container(host)
        found = self.docker.inspect_all([container])
        if container not in found or not found[container]["State"].get("Running"):
            raise EngineError(f"{host} does not run.", remedy=f"Run 'pacslab up --lab {self.name}'.")
        return int(found[container]["State"]["Pid"])

    def stream(
        self, host: str, argv: Sequence[str], *, user: str = "root", tty: bool = False, stdin: bool = True
    ) -> Stream:
        """Start a command on a host, to talk with while it runs."""
        return Stream(self.docker, self.container(host), argv, user=user, tty=tty, stdin=stdin)

    def write(self, host: str, path: str, data: bytes, *, mode: int = 0o644) -> None:
        """Write a file on a host, whole or not at all; its folder is made where it is missing.

        Raises:
            EngineError: the host refused.
        """
        target = shlex.quote(path)
        script = (
            f'umask 077; mkdir -p "$(dirname {target})" && new=$(mktemp {target}.XXXXXX) '
            f'&& cat >"$new" && chmod {mode:o} "$new" && mv -f "$new" {target}'
        )
        done = self.run(host, ["sh", "-c", script], input=data)
        if done.code:
            raise EngineError(
                f"{host} did not take {path}: {done.stderr.strip()}", remedy=f"See 'pacslab exec {host} -- df -h'."
            )

    def health(self) -> dict[str, HostHealth]:
        """The health of every host, by name."""
        with self.watch_health() as look:
            return look()

    @contextmanager
    def watch_health(self) -> Iterator[Callable[[], dict[str, HostHealth]]]:
        """What tells the health of every host, by name, as often as it is called: each look is cheap."""
        hosts = self.record.hosts
        services = {name: host.services for name, host in hosts.items()}
        devices = {name: Device(host.address, host.ports) for name, host in hosts.items() if host.ports is not None}
        beside = [name for name, host in hosts.items() if host.beside]
        reader = ReportReader(self.docker, self.name)

        def look() -> dict[str, HostHealth]:
            health = read_health(self.docker, self.name, services, devices, reader)
            return health | with_devices(self.docker, self.name, {name: health[name] for name in beside})

        with closing(reader):
            yield look
