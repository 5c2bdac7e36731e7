"""A program of this machine in a host's place in the network: its address, its neighbours, its flows, and no others.

The program keeps everything else of the machine: files, users, devices. It does not reach the machine's own network.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, NoReturn

from lab.atomic_write import atomic_write
from lab.errors import MachineNotReadyError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lab.engine.lab import Lab
    from lab.topology.site import Site

FOLDER = "names"
"""Where a lab's folder keeps what a program finds at /etc/hosts and /etc/resolv.conf instead of the machine's."""
NOBODY_ASKED = "# Names of the lab stand in /etc/hosts; nobody answers for others.\nnameserver 127.0.0.1\n"
SCRIPT = 'mount --bind "$1" /etc/hosts && mount --bind "$2" /etc/resolv.conf && shift 2 && exec "$@"'


def run_as(lab: Lab, host: str, command: Sequence[str]) -> NoReturn:
    """Become a program in a host's place in the network.

    Raises:
        UsageError: the lab has no such host, or the machine no such program.
        EngineError: the host does not run.
        MachineNotReadyError: who asks is not root, and no other may enter a host's network.
    """
    pid = lab.pid(host)
    if os.geteuid() != 0:
        raise MachineNotReadyError(
            f"Only root may enter the network of {host}.", remedy="Run it with sudo, with the same PACSLAB_STATE."
        )
    if shutil.which(command[0]) is None:
        raise UsageError(
            f"This machine has no program {command[0]}.",
            remedy=f"Install it here, or run one of the host's own: 'pacslab exec {host} -- COMMAND'.",
        )
    argv = entering(pid, host, *names_files(lab.site, lab.folder / FOLDER, host), command)
    os.execvpe(argv[0], argv, without_proxies(os.environ))  # noqa: S606 # the person's own command, in our place


def without_proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without the machine's proxies, which nobody reaches from a host's network."""
    return {name: value for name, value in environment.items() if not name.lower().endswith("_proxy")}


def names_files(site: Site, folder: Path, host: str) -> tuple[Path, Path]:
    """Write what a program in a host's place finds at /etc/hosts and /etc/resolv.conf."""
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    names, resolver = folder / f"{host}.hosts", folder / "resolv.conf"
    lines = [f"127.0.0.1 localhost\n{site.hosts[host].address} {host}\n"]
    lines += [f"{entry.address} {site.fqdn(name)} {name}\n" for name, entry in site.hosts.items()]
    atomic_write(names, "".join(lines), mode=0o644)
    atomic_write(resolver, NOBODY_ASKED, mode=0o644)
    return names, resolver


def entering(pid: int, host: str, names: Path, resolver: Path, command: Sequence[str]) -> list[str]:
    """The command that enters the network of a process, sees the lab's names, and runs a command.

    Mounts and the host name are the command's own, and go with it.
    """
    return [
        *("nsenter", f"--net=/proc/{pid}/ns/net", "--"),
        *("unshare", "--mount", "--uts", "--propagation", "private", "--"),
        *("sh", "-c", f"hostname {host} && {SCRIPT}", "sh", str(names), str(resolver), *command),
    ]
