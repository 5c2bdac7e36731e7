"""How administrators reach the hosts of a lab: from where, and with what an SSH client needs for a while."""

from __future__ import annotations

import getpass
import os
import shlex
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.errors import UsageError
from lab.events import CertificateGiven
from lab.trust.files import make_private_folder, write_private
from lab.trust.ssh import HOSTS, give, load_ssh_authority
from lab.trust.ssh_authority import Grant, new_key, private_key
from lab.trust.store import pki_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta
    from pathlib import Path

    from lab.engine.lab import Lab
    from lab.events import Bus
    from lab.topology.site import ResolvedFlow, Site
    from lab.trust.ssh import Issued

CONFIG = "config"
"""What ``ssh -F`` reads."""


@dataclass(frozen=True)
class Wish:
    """What somebody wants to be let in for.

    Attributes:
        person: Who it is.
        reason: Why.
        principal: As whom; empty for the account.
        lifetime: For how long they may come in.
        account: Of the host; empty for the one that hosts let administrators in as who do not sign in.
        signed_in: Whether connections end when the sign-on no longer lets the person administer hosts.
    """

    person: str
    reason: str
    principal: str
    lifetime: timedelta
    account: str = ""
    signed_in: bool = False


def person() -> str:
    """Who asks, where administrators do not sign in: the account of this machine, also behind sudo."""
    return os.environ.get("SUDO_USER") or getpass.getuser()


def ways(site: Site, source: str | None = None) -> list[ResolvedFlow]:
    """The flows by which hosts are administered from one host: the one that is named, or the first that there is.

    Raises:
        UsageError: there is none.
    """
    flows = [flow for flow in site.flows_to("administration") if flow.target in site.managed]
    sources = list(dict.fromkeys(flow.source for flow in flows))
    if not sources:
        raise UsageError(
            f"Site {site.name!r} lets nobody administer a host.",
            remedy="Give hosts a role that offers it, and write a flow to it (docs/ssh.md).",
        )
    if source is not None and source not in sources:
        raise UsageError(
            f"{source!r} is no host to administer others from.", remedy=f"Flows allow it from: {', '.join(sources)}."
        )
    return [flow for flow in flows if flow.source == (source or sources[0])]


def way_to(flows: Sequence[ResolvedFlow], host: str) -> ResolvedFlow:
    """The flow to a host.

    Raises:
        UsageError: there is none.
    """
    for flow in flows:
        if flow.target == host:
            return flow
    known = ", ".join(flow.target for flow in flows)
    raise UsageError(f"No flow lets {flows[0].source} administer {host!r}.", remedy=f"It may reach: {known}.")


def open_door(lab: Lab, flows: Sequence[ResolvedFlow], wish: Wish, folder: Path, bus: Bus) -> Issued:
    """Fill a folder with what ``ssh -F FOLDER/config HOST`` needs to reach the targets of these flows for a while.

    It gets a key that was never anywhere else, its certificate, the authority of the hosts, and a configuration by
    which connections begin in the network of the flows' source.

    Raises:
        UsageError: the certificate would last too long, or its words cannot stand in a log.
        TrustError: the lab has no SSH authority.
    """
    site, pki = lab.site, pki_folder(lab.folder)
    account = wish.account or site.services(flows[0].target)[flows[0].service].account or ""
    addresses = tuple(dict.fromkeys(str(site.address_towards(flow.source, flow.target)) for flow in flows))
    grant = Grant(wish.person, wish.reason, (wish.principal or account,), addresses, wish.lifetime)
    key = new_key()
    certificate, entry = give(pki, key.public_key(), grant)
    bus.emit(
        CertificateGiven(
            entry.serial, entry.person, entry.reason, tuple(entry.principals), tuple(entry.sources), entry.until
        )
    )
    make_private_folder(folder)
    write_private(folder / "key", private_key(key))
    write_private(folder / "key-cert.pub", certificate)
    hosts = load_ssh_authority(pki, HOSTS).line()
    write_private(folder / "known_hosts", f"@cert-authority *.{site.topology.domain} {hosts}\n".encode())
    watched = wish.person if wish.signed_in else ""
    write_private(folder / CONFIG, client_config(lab, flows, account, folder, watched).encode())
    return entry


def client_config(lab: Lab, flows: Sequence[ResolvedFlow], account: str, folder: Path, watched: str = "") -> str:
    """What an SSH client has to know of these flows' targets; host keys are taken from the authority alone.

    Connections end when the person who is watched may no longer administer hosts.
    """
    lines = [f"# Written by pacslab ssh for lab {lab.name}, as seen from {flows[0].source}."]
    for flow in flows:
        name = lab.site.fqdn(flow.target)
        lines += [
            f"Host {flow.target} {name}",
            f"    HostName {name}",
            f"    HostKeyAlias {name}",
            f"    Port {flow.port}",
            f"    ProxyCommand {_joined(lab, flow, watched)}",
        ]
    lines += [
        "Host *",
        f"    User {account}",
        f'    IdentityFile "{folder}/key"',
        f'    CertificateFile "{folder}/key-cert.pub"',
        "    IdentitiesOnly yes",
        "    IdentityAgent none",
        "    PreferredAuthentications publickey",
        f'    UserKnownHostsFile "{folder}/known_hosts"',
        "    GlobalKnownHostsFile none",
        "    StrictHostKeyChecking yes",
        "    HostKeyAlgorithms ssh-ed25519-cert-v01@openssh.com",
        "    UpdateHostKeys no",
        "    ClearAllForwardings yes",
        "    ForwardAgent no",
        "    LogLevel ERROR",
    ]
    return "\n".join(lines) + "\n"


def _joined(lab: Lab, flow: ResolvedFlow, watched: str) -> str:
    """The command that joins its input and output to the target, as seen from the source."""
    argv = [
        *("env", f"PACSLAB_STATE={lab.folder.parent}", sys.executable, "-m", "lab.cli.main", "forward"),
        *(f"{flow.target}:{flow.port}", "--as", flow.source, "--lab", lab.name, "--stdio"),
        *(("--signed-in", watched) if watched else ()),
    ]
    return shlex.join(argv).replace("%", "%%")  # ssh_config(5), TOKENS
