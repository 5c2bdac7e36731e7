"""Where the hosts of a description are reached: in a lab, or at addresses of one's own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from lab.verify.connection.backend import kept_host
from lab.verify.connection.channel import DockerWay
from lab.verify.connection.connection import Connection

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from testinfra.host import Host

    from lab.engine.lab import Lab
    from lab.verify.connection.channel import Way


class KeptMachines:
    """Hosts over kept connections, each made when it is first asked for."""

    def __init__(
        self, way: Callable[[str], Way], container: Callable[[str], Mapping[str, Any] | None] = lambda _: None
    ) -> None:
        """``way`` says how a host is reached, ``container`` how the engine runs it."""
        self._way = way
        self._container = container
        self._hosts: dict[str, Host] = {}
        self._containers: dict[str, Mapping[str, Any] | None] = {}
        self._connections: list[Connection] = []
        self._lock = threading.Lock()

    def host(self, name: str) -> Host:
        """A Testinfra host over its kept connection."""
        with self._lock:
            found = self._hosts.get(name)
            if found is None:
                connection = Connection(self._way(name))
                self._connections.append(connection)
                found = self._hosts[name] = kept_host(connection, name)
            return found

    def container(self, name: str) -> Mapping[str, Any] | None:
        """How the engine runs the host, asked once."""
        if name not in self._containers:
            self._containers[name] = self._container(name)
        return self._containers[name]

    def forget(self) -> None:
        """Forget what was read: what is asked from now on is asked of the machines."""
        self._containers.clear()
        for host in self._hosts.values():
            host.backend.memory.clear()

    def close(self) -> None:
        """End every connection."""
        for connection in self._connections:
            connection.close()
        self._connections.clear()
        self._hosts.clear()


def machines_of(lab: Lab) -> KeptMachines:
    """The hosts of a running lab."""
    docker = lab.docker
    return KeptMachines(
        lambda host: DockerWay(docker, lab.container(host)), lambda host: docker.inspect(lab.container(host))
    )
