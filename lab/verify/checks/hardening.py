"""Hosts are hardened as promised: accounts, files, processes, sockets, TLS and more, judged with Testinfra."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.verify.check import Check
from lab.verify.hardening.find import all_declared, check_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.results.model import Result
    from lab.topology.site import Site
    from lab.verify.check import Context
    from lab.verify.mutation import Mutation


OWN_MACHINE = "machine"
"""The list of what a machine of its own may have beyond a container."""


def check_hardening(context: Context) -> Iterator[Result]:
    """Run the files of ``tests/hardening`` and of the roles, on the hosts and for the ids that are wanted."""
    from lab.verify.hardening.machines import KeptMachines, machines_of  # noqa: PLC0415 # Testinfra; listing promises needs none of it
    from lab.verify.hardening.plugin import Judging, matcher  # noqa: PLC0415 # likewise
    from lab.verify.hardening.session import run_session  # noqa: PLC0415 # likewise

    machines = KeptMachines(context.ways.__getitem__) if context.ways else machines_of(context.lab)
    hosts = [host for host in context.ways or context.lab.site.managed if context.wants_host(host)]
    lists = (OWN_MACHINE,) if context.ways else ()
    judging = Judging(context.lab.site, lambda: machines, hosts, matcher(context.ids), lambda _: None, lists=lists)
    try:
        yield from run_session(judging)
    finally:
        machines.close()


def mutations_of(site: Site) -> Iterator[Mutation]:
    """What stands beside the checks as their sabotage."""
    from lab.verify.hardening.mutations import mutations  # noqa: PLC0415 # judging needs none of it

    return mutations(site)


CHECK = Check(
    name="hardening",
    summary="every host as its roles promise: accounts, files, processes, sockets, TLS, packet filter and more",
    promises=tuple(declared.promise for declared in all_declared().values()),
    judge=check_hardening,
    files=tuple(check_files()),
    mutations=mutations_of,
)
