"""A browser of this machine in the place of a workstation: what it needs to open the site's pages and nothing else."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificate

from lab.errors import UsageError
from lab.trust.files import read_certificate
from lab.trust.partners import read_partners
from lab.trust.store import leaf_file, pki_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lab.engine.lab import Lab
    from lab.topology.site import ResolvedFlow, Site

START = "viewing"
"""Function of the host whose page is opened first."""


@dataclass(frozen=True)
class Pages:
    """What a workstation reaches in a browser: ``start`` is among ``flows``."""

    start: ResolvedFlow
    flows: tuple[ResolvedFlow, ...]


def pages(site: Site, workstation: str | None = None, host: str | None = None) -> Pages:
    """What is opened in a browser at a workstation: the one that is named, or the first that reaches the start page.

    Args:
        site: the site.
        workstation: the host whose place the browser takes.
        host: the host whose pages are opened first: the one with function :data:`START` where none is named.

    Raises:
        UsageError: the site has no such page, or the workstation does not reach it.
    """
    flows = site.flows_to("pages")
    targets = {flow.target for flow in flows}
    if host is not None and host not in targets:
        raise UsageError(
            f"{host!r} has nothing that people open in a browser.",
            remedy=f"Hosts with pages: {', '.join(sorted(targets)) or 'none'}.",
        )
    starts = [flow for flow in flows if host in {None, flow.target} and (host or _starts(site, flow))]
    if not starts:
        raise UsageError(
            f"Site {site.name!r} has nothing that people open in a browser.",
            remedy="Give a host a role with the function 'viewing', and write a flow to it (docs/viewer.md).",
        )
    people_at = list(dict.fromkeys(flow.source for flow in starts if flow.source not in targets))
    for start in starts:
        if start.source == (workstation or next(iter(people_at), None)):
            return Pages(start, tuple(flow for flow in flows if flow.source == start.source))
    raise UsageError(
        f"{workstation!r} opens no page of {starts[0].target}.", remedy=f"Flows allow it from: {', '.join(people_at)}."
    )


def _starts(site: Site, flow: ResolvedFlow) -> bool:
    return START in site.hosts[flow.target].functions


def arguments(lab: Lab, found: Pages, served: Mapping[ResolvedFlow, int], profile: Path) -> list[str]:
    """What Chromium is started with.

    Names of the site lead to the forwards on loopback, and no other name leads anywhere: the browser is in the lab, not
    in the Internet. Of the lab's CA it learns nothing; the keys of these servers alone are accepted, for these names.

    Args:
        lab: the lab.
        found: what is opened.
        served: the port of 127.0.0.1 that leads to each flow's target.
        profile: an empty folder that is the browser's for this time.
    """
    names = [f"MAP {lab.site.fqdn(flow.target)} 127.0.0.1:{port}" for flow, port in served.items()]
    keys = sorted({key for flow in served for key in _keys(lab, flow)})
    return [
        f"--user-data-dir={profile}",
        f"--host-resolver-rules={', '.join([*names, 'MAP * ~NOTFOUND', 'EXCLUDE 127.0.0.1'])}",
        f"--ignore-certificate-errors-spki-list={','.join(keys)}",
        "--no-first-run",
        "--no-default-browser-check",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"https://{lab.site.fqdn(found.start.target)}/",
    ]


def _keys(lab: Lab, flow: ResolvedFlow) -> list[str]:
    """SHA-256 of the public keys with which a flow's server may prove itself, in base64 (RFC 7469 2.4)."""
    profile = lab.site.services(flow.target)[flow.service].presents
    held = lab.site.certificates(flow.target)
    pki = pki_folder(lab.folder)
    certificates = [
        read_certificate(leaf_file(pki, flow.target, name, "crt"))
        for name, entry in held.items()
        if entry.profile == profile
    ]
    kept = read_partners(lab.folder)
    certificates += [
        load_pem_x509_certificate(kept[name]["certificate"].encode())
        for name, partner in lab.site.topology.partners.items()
        if partner.host == flow.target and name in kept
    ]
    return [
        base64.b64encode(
            hashlib.sha256(
                certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            ).digest()
        ).decode()
        for certificate in certificates
    ]
