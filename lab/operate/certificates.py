"""Revoke and rotate certificates of a running lab: sign, bring to the hosts, and publish."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lab.ansible.play import Play
from lab.operate.bundles import renew_bundles
from lab.operate.configure import overlay
from lab.operate.configured import Configured
from lab.operate.inputs import digests
from lab.operate.wait import wait_until_healthy
from lab.settings import ROOT
from lab.trust import pki
from lab.trust.envelope import seal_envelope
from lab.trust.files import write_private
from lab.trust.ssh import revoke_ssh
from lab.trust.store import pki_folder
from lab.trust.variables import trust_variables

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.engine.lab import Lab
    from lab.events import Bus
    from lab.trust.envelope import Entry
    from lab.trust.session import Changes
    from lab.trust.ssh import Issued

REVOKE = "revoke-certificate.yml"
ROTATE = "rotate-certificates.yml"
REVOKE_SSH = "revoke-ssh-certificate.yml"
HEALTHY_WITHIN = 60.0
"""Seconds that services may take to be healthy again: some restart with each new revocation list."""


def revoke_certificate(lab: Lab, host: str, name: str, reason: str, bus: Bus) -> Changes:
    """Revoke a certificate and have every host know; from then on peers refuse it.

    Raises:
        UsageError: there is no such certificate or reason.
        AnsibleError: a host could not be told. The revocation stands; it reaches that host when the host fetches the
            list, or with the next ``pacslab up``.
        UnhealthyError: the revocation stands, but a host that was healthy before is not healthy again.
    """
    with _bringing(lab, bus):
        changes = pki.revoke(lab.folder, host, name, reason)
        _run(lab, REVOKE, (), bus)
    return changes


def rotate_certificates(lab: Lab, host: str, names: Sequence[str], bus: Bus) -> Changes:
    """Give a host new keys and certificates, and revoke those they replace once the host has the new ones.

    Raises:
        UsageError: the host has no certificate of that name.
        AnsibleError: the host did not take them. The old certificates then stay good, and the next rotation or
            ``pacslab up`` brings the new ones.
        UnhealthyError: the new ones are in place, but a host that was healthy before is not healthy again.
    """
    with _bringing(lab, bus):
        changes = pki.rotate(lab.site, lab.folder, host, names)
        if host in lab.site.managed:
            _run(lab, ROTATE, (host,), bus)
        retired = pki.retire(lab.folder, host)
        _run(lab, REVOKE, (), bus)
    return type(changes)(changes.issued, changes.revoked + retired.revoked, changes.lists + retired.lists)


def revoke_ssh_certificate(lab: Lab, serial: int, bus: Bus) -> Issued:
    """Revoke a person's SSH certificate and have every host know; it lets nobody in from then on.

    Raises:
        UsageError: there is no such certificate.
        AnsibleError: a host could not be told. The revocation stands; the next ``pacslab up`` brings it.
    """
    with _bringing(lab, bus):
        found = revoke_ssh(pki_folder(lab.folder), serial)
        _run(lab, REVOKE_SSH, (), bus)
    return found


def reseal_envelope(lab: Lab, by: str, bus: Bus) -> Entry:
    """Seal the envelope with a new secret and have every host know; what was in it lets nobody in from then on.

    Raises:
        TrustError: the lab has no envelope.
        AnsibleError: a host could not be told. It is sealed; the next ``pacslab up`` brings what is in it.
    """
    with _bringing(lab, bus, restarts=False):
        entry = seal_envelope(pki_folder(lab.folder), by)
        _run(lab, REVOKE_SSH, (), bus)
    return entry


@contextmanager
def _bringing(lab: Lab, bus: Bus, *, restarts: bool = True) -> Iterator[None]:
    """Leave hosts as they were before: those that were configured are so, and those that were healthy are so again.

    What the PKI has new was brought to them, and to bundles. Where that restarts no service, nobody waits for any: one
    that is down is why an envelope is opened.
    """
    before = digests(lab.site, lab.folder)
    healthy = [host for host, answer in lab.health().items() if answer.healthy] if restarts else []
    yield
    renew_bundles(lab.site, lab.folder)
    Configured(lab.folder).follow(before, digests(lab.site, lab.folder))
    wait_until_healthy(lab, bus, HEALTHY_WITHIN, dict.fromkeys(healthy, time.time()), healthy)


def _run(lab: Lab, playbook: str, hosts: Sequence[str], bus: Bus) -> None:
    folder = lab.folder / "ansible"
    inventory, known = folder / "overlay.json", folder / "variables.json"
    write_private(inventory, json.dumps(overlay(lab, lab.site)).encode())
    write_private(known, json.dumps(trust_variables(lab.site, lab.folder)).encode())
    Play(
        playbook=ROOT / "playbooks" / playbook,
        inventories=[lab.site.path, inventory],
        folder=folder,
        variables=[known],
        limit=hosts,
        remedy="Is the lab up ('pacslab status')? The whole output is in the folder 'artifacts' below {folder}.",
    ).run(bus)
