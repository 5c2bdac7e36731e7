"""A second certificate for a scanner: it works, is revoked, and the revocation is published the way the lab does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.events import Bus
from lab.scenarios.attempt import Attempt
from lab.scenarios.credentials import placed
from lab.scenarios.failure import require
from lab.trust import pki_folder, revoke
from lab.trust.pki import site_wanted
from lab.trust.session import session
from lab.trust.store import leaf_file, load_authority
from lab.trust.untrusted_certificates import Bundle

if TYPE_CHECKING:
    from lab.scenarios.stage import Stage

NAME = "attempt"
"""The second certificate's name in the PKI; its files are removed again, its entry stays in the index as revoked."""
TAKEN_WITHIN = 30
"""Seconds in which a target's edge has to work with a new revocation list once it is told to fetch it."""


def revoked(stage: Stage[object], host: str, profile: str, target: str) -> Bundle:
    """Issue a good certificate, see that it works, revoke it, and see that the target holds the new list.

    Raises:
        StepFailure: it never worked, or the list was not published or not taken.
    """
    lab = stage.lab
    pki = pki_folder(lab.folder)
    with session(pki) as change:
        change.issue(load_authority(pki, "issuing"), host, NAME, site_wanted(lab.site, host, profile))
    files = {suffix: leaf_file(pki, host, NAME, suffix) for suffix in ("key", "crt", "pem")}
    bundle = Bundle(files["key"].read_bytes(), files["crt"].read_bytes(), b"")  # the .crt holds its CA already
    try:
        with placed(stage, host, bundle) as presenting:
            argv = ["pacslab-misuse", "dicom-other-certificate", "--peer", target, *presenting, "--json"]
            answer = stage.hospital.ask(host, argv, Attempt)
        require(not answer.refused, f"the certificate does not work even before it is revoked: {answer.detail}")
        revoke(lab.folder, host, NAME)
    finally:
        for path in files.values():
            path.unlink(missing_ok=True)
    publish(stage, target)
    return bundle


def publish(stage: Stage[object], target: str) -> None:
    """Bring the revocation lists to the host that publishes them, and have the target fetch them now, not in a minute.

    Raises:
        StepFailure: the target does not hold the list, or its edge does not work with it.
    """
    from lab.operate.configure import configure  # noqa: PLC0415 # Ansible is slow to import

    publisher = next(flow.target for flow in stage.hospital.site.flows if flow.service == "certificate-status")
    configure(stage.lab, stage.lab.site, [publisher], Bus())
    fetched = stage.hospital.run(target, ["systemctl", "start", "pacslab-crl.service"])
    require(fetched.code == 0, f"{target} did not fetch the list: {fetched.stderr.strip()}")
    held = stage.hospital.run(target, ["cat", "/etc/pacslab/tls/crl.pem"]).stdout
    published = (pki_folder(stage.lab.folder) / "crl.pem").read_text("ascii")
    require(held == published, f"{target} does not hold the list that was published")
    settled = 'test -z "$(systemctl list-jobs --no-legend)" && systemctl is-active --quiet haproxy.service'
    stage.eventually(
        lambda: stage.hospital.run(target, ["sh", "-c", settled]).code == 0,
        timeout=TAKEN_WITHIN,
        otherwise=f"{target}'s edge does not come back from reading the list",
    )
