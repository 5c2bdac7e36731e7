"""Log lines with a certificate that does not belong to their sender, or not to logging."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lab.abuse import edges
from lab.abuse.credentials import held
from lab.abuse.evidence import Evidence
from lab.abuse.failure import require
from lab.abuse.misuse import Misuse
from lab.abuse.model import AbuseCase
from lab.abuse.parties import DICOM_NODE, SYSLOG_NODE, senders_at_collector
from lab.abuse.sights import names_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.abuse.attempt import Tried
    from lab.abuse.scene import Scene

PROGRAM = "intruder"
"""The program that the attempt's lines claim to be of."""
KEPT_WITHIN = 20.0
"""Seconds in which a host's own line has to reach the collector."""


def _line(scene: Scene) -> list[str]:
    """Arguments with a text that is used once."""
    return ["--text", f"attempt-{scene.token}-{scene.number()}"]


def _refused(reason: str) -> Callable[[Scene], Evidence]:
    return lambda scene: Evidence(scene.parties.target, reason, about=(names_of(scene, scene.parties.source),))


def _kept(scene: Scene, tried: Tried) -> str:
    """Harm: the line is in some host's log."""
    text = str(tried.facts["text"])
    hosts = [host for host in scene.site.hosts if scene.hospital.collected.has(host, PROGRAM, text)]
    return f"the line is kept in the log of {', '.join(hosts)}" if hosts else ""


def _still_logs(scene: Scene, _: Tried) -> str:
    """Unharmed: a line that the source itself logs is kept under its name.

    Raises:
        NotAsPromised: it is not.
    """
    source, text = scene.parties.source, f"control-{scene.token}-{scene.number()}"
    scene.hospital.run(source, ["logger", "--tag", "trial", text])
    kept = scene.eventually(lambda: scene.hospital.collected.has(source, "trial", text), timeout=KEPT_WITHIN)
    require(kept, f"afterwards {scene.parties.target} does not keep what {source} logs")
    return f"{scene.parties.target} still keeps what {source} logs"


_SENDER = partial(AbuseCase, parties=senders_at_collector, harm=_kept, unharmed=_still_logs)

CASES = (
    _SENDER(
        "abuse.syslog-other-host",
        "Log: a line with another host's log certificate",
        attempt=Misuse(
            "syslog-other-certificate",
            words=_line,
            credential=lambda scene: held(scene, scene.parties.other, SYSLOG_NODE),
        ),
        evidence=_refused("address-mismatch"),
        control="the collector's edge binds the certificate to its host's address",
        weakenings=(
            edges.RELOADED(
                "the edge compares no address with the certificate", edges.without(edges.SYSLOG, "address-mismatch")
            ),
        ),
    ),
    _SENDER(
        "abuse.syslog-wrong-profile",
        "Log: a line with the host's own certificate for DICOM",
        attempt=Misuse(
            "syslog-other-certificate",
            words=_line,
            credential=lambda scene: held(scene, scene.parties.source, DICOM_NODE),
        ),
        evidence=_refused("wrong-profile"),
        control="the collector's edge takes certificates of profile syslog-node alone",
        weakenings=(edges.RELOADED("the edge looks at no profile", edges.without(edges.SYSLOG, "wrong-profile")),),
    ),
)
