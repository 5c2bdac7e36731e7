"""What listens on a host is what the description offers there, and nothing else; and it listens where it should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.verify.hardening.allowed import allowed
from lab.verify.hardening.declare import Sabotage, has_role, promise
from lab.verify.hardening.facts import PROCESSES, SOCKETS, processes, sockets
from lab.verify.hardening.sabotages import STOPPED, listener

if TYPE_CHECKING:
    from collections.abc import Iterable

    from testinfra.host import Host

    from lab.topology.catalog import Service
    from lab.verify.hardening.declare import Target
    from lab.verify.hardening.expect import Expect

MANAGEMENT = {"sshd"}
"""What a real machine is administered through; the host filter says from where."""


def offered(target: Target) -> dict[tuple[str, int], str]:
    """Every (protocol, port) that the description offers on the host, with the service's name."""
    found = {
        (service.protocol, service.port): name
        for name, service in target.site.services(target.host).items()
        if service.port is not None and service.carries is None
    }
    ports = target.site.plain_ports(target.host)
    return found | {("tcp", port): f"to {peer}" for (_, peer), port in ports.items()}


def services(target: Target) -> Iterable[tuple[str, tuple[str, str, int]]]:
    return [
        (f"{name} {service.protocol}/{service.port}", (name, service.protocol, service.port))
        for name, service in target.site.services(target.host).items()
        # what carries is there when its host has something to send; what is beside, when its device listens
        if service.port is not None and service.carries is None and not service.beside
    ]


def inner(target: Target) -> Iterable[tuple[str, tuple[str, Service]]]:
    return [
        (name, (name, service))
        for name, service in target.site.services(target.host).items()
        if service.port is not None and service.scope == "loopback" and not service.beside
    ]


@promise(
    "hardening.sockets.listening",
    "Only the services that the description offers on a host listen there.",
    remedy="Stop what listens, or describe it as a service of its role.",
    where=lambda target: target.entry.device is None,  # a device listens where it likes; the packet filter keeps others
    reads=(SOCKETS, PROCESSES),
    sabotage=Sabotage(
        listener("0.0.0.0", 4444),  # noqa: S104 # that is the sabotage
        STOPPED,
        also=("hardening.processes.known", "hardening.units.known"),  # that is the sabotage
    ),  # that is the sabotage
)
def test_nothing_listens_that_is_not_described(host: Host, target: Target, expect: Expect) -> None:
    known = offered(target)
    managed = any(process.name in MANAGEMENT for process in processes(host))
    found = [
        str(socket)
        for socket in sockets(host)
        if (socket.protocol, socket.port) not in known and not (managed and socket.port == 22)  # SSH
    ]
    expect.none(found, "listening sockets beyond the described services")


@promise(
    "hardening.sockets.served",
    "Every service that the description offers on a host listens there.",
    remedy="See the service in `pacslab status`, and its remedy.",
    each=services,
    reads=(SOCKETS,),
    sabotage=Sabotage(
        lambda target: f"systemctl stop {target.site.services(target.host)[target.value[0]].unit}",
        lambda target: f"systemctl start {target.site.services(target.host)[target.value[0]].unit}",
        also=("hardening.*",),
        on=lambda target: target.value[0] in {"certificate-status", "hl7"},
    ),
)
def test_every_described_service_listens(host: Host, subject: tuple[str, str, int], expect: Expect) -> None:
    name, protocol, port = subject
    found = [(socket.protocol, socket.port) for socket in sockets(host)]
    expect.that((protocol, port) in found, f"{name} on {protocol}/{port}", f"{len(found)} other sockets")


@promise(
    "hardening.sockets.loopback",
    "What is meant for the host's own services listens on loopback alone, but for programs that cannot.",
    remedy="Bind it to 127.0.0.1; until then only the packet filter keeps others away.",
    each=inner,
    reads=(SOCKETS,),
    sabotage=Sabotage(
        lambda target: f"systemctl stop {target.value[1].unit} && {listener('0.0.0.0', target.value[1].port)}",  # noqa: S104 # that is the sabotage
        lambda target: f"{STOPPED}; systemctl start {target.value[1].unit}",
        also=("hardening.*",),
        on=lambda target: bool(target.value[0] == "hl7" and not has_role("orthanc")(target)),
    ),
)
def test_inner_services_listen_on_loopback(
    host: Host, target: Target, subject: tuple[str, Service], expect: Expect
) -> None:
    name, service = subject
    found = [socket for socket in sockets(host) if (socket.protocol, socket.port) == (service.protocol, service.port)]
    open_ones = [str(socket) for socket in found if not socket.loopback]
    if name in allowed(target).all_addresses:
        expect.that(bool(found), "a socket; this one may bind every address", f"{len(found)} sockets")
        return
    expect.none(open_ones, "sockets beyond loopback")
