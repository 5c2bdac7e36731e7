"""Callers without a certificate that counts at a DICOM edge, or without TLS that does; each tries to store an image."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lab.abuse import edges
from lab.abuse.credentials import held, revoked
from lab.abuse.evidence import Evidence
from lab.abuse.misuse import Misuse, fresh_instance, misuse
from lab.abuse.model import AbuseCase
from lab.abuse.parties import DICOM_NODE, DICOM_SERVICE, SYSLOG_NODE, scanner_alone_at_archive
from lab.abuse.sights import answers_control, names_of, stored
from lab.abuse.weakening import Edit
from lab.trust.untrusted_certificates import Bundle, expired, foreign, self_signed

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.abuse.scene import Scene


def _refused(reason: str, *words: str) -> Callable[[Scene], Evidence]:
    """The edge's line about the source."""
    return lambda scene: Evidence(
        scene.parties.target, reason, about=(names_of(scene, scene.parties.source),), words=words
    )


def _presenting(credential: Callable[[Scene], Bundle]) -> Misuse:
    return Misuse("dicom-other-certificate", words=fresh_instance, credential=credential)


def _before(scene: Scene, presenting: list[str]) -> str:
    """Why the certificate is refused while it is good, if it is."""
    answer = misuse(scene, scene.parties.source, "dicom-other-certificate", *presenting, *fresh_instance(scene))
    return answer.detail if answer.refused else ""


_STRANGER = partial(AbuseCase, parties=scanner_alone_at_archive, harm=stored, unharmed=answers_control)
_IGNORING = "verify required ca-ignore-err {0} crt-ignore-err {0}"

CASES = (
    _STRANGER(
        "abuse.dicom-no-certificate",
        "DICOM: a caller without a certificate stores an image",
        attempt=Misuse("dicom-no-certificate", words=fresh_instance),
        evidence=_refused("no-certificate"),
        control="the DICOM edge demands a certificate (mutual TLS)",
        weakenings=(
            edges.RELOADED(
                "the edge asks for no certificate, and drops the rules that need its name",
                (
                    edges.bind(edges.DICOM, "verify required", "verify none"),
                    *edges.without(edges.DICOM, *edges.NAMED, "ae-mismatch"),
                ),
            ),
        ),
    ),
    _STRANGER(
        "abuse.dicom-foreign-ca",
        "DICOM: a certificate of a CA that nobody here knows",
        attempt=_presenting(lambda scene: foreign(scene.site, scene.parties.source, DICOM_NODE)),
        evidence=_refused("certificate-refused"),
        control="the DICOM edge trusts the site's own CA alone",
        weakenings=(
            edges.RELOADED(
                "the edge overlooks every error of a certificate and its chain",
                (edges.bind(edges.DICOM, "verify required", _IGNORING.format("all")),),
            ),
        ),
    ),
    _STRANGER(
        "abuse.dicom-self-signed",
        "DICOM: a certificate that is signed by its own key alone",
        attempt=_presenting(lambda scene: self_signed(scene.site, scene.parties.source, DICOM_NODE)),
        evidence=_refused("certificate-refused", "SELF_SIGNED"),
        control="the DICOM edge trusts the site's own CA alone",
        weakenings=(
            edges.RELOADED(
                "the edge overlooks every error of a certificate and its chain",
                (edges.bind(edges.DICOM, "verify required", _IGNORING.format("all")),),
            ),
        ),
    ),
    _STRANGER(
        "abuse.dicom-expired",
        "DICOM: a certificate that ended yesterday",
        attempt=_presenting(lambda scene: expired(scene.site, scene.lab.folder, scene.parties.source, DICOM_NODE)),
        evidence=_refused("certificate-refused", "EXPIRED"),
        control="the DICOM edge checks a certificate's dates",
        weakenings=(
            edges.RELOADED(
                "the edge overlooks that a certificate has expired",
                (
                    edges.bind(
                        edges.DICOM, "verify required", "verify required crt-ignore-err X509_V_ERR_CERT_HAS_EXPIRED"
                    ),
                ),
            ),
        ),
    ),
    _STRANGER(
        "abuse.dicom-revoked",
        "DICOM: a certificate that worked until it was revoked",
        attempt=_presenting(lambda scene: revoked(scene, DICOM_NODE, _before)),
        evidence=_refused("certificate-refused", "REVOKED"),
        control="the DICOM edge reads the revocation lists",
        weakenings=(
            edges.RELOADED(
                "the edge has no revocation list",
                (edges.bind(edges.DICOM, " crl-file /etc/pacslab/tls/crl.pem", ""),),
            ),
        ),
    ),
    _STRANGER(
        "abuse.dicom-wrong-profile",
        "DICOM: the host's own log certificate",
        attempt=_presenting(lambda scene: held(scene, scene.parties.source, SYSLOG_NODE)),
        evidence=_refused("wrong-profile"),
        control="the DICOM edge takes certificates of profile dicom-node alone",
        weakenings=(edges.RELOADED("the edge looks at no profile", edges.without(edges.DICOM, "wrong-profile")),),
    ),
    _STRANGER(
        "abuse.dicom-server-certificate",
        "DICOM: the certificate with which the host's own DICOM service proves itself",
        attempt=_presenting(lambda scene: held(scene, scene.parties.source, DICOM_SERVICE)),
        evidence=_refused("certificate-refused", "PURPOSE"),
        control="the DICOM edge takes no server's certificate from a client (extended key usage)",
        weakenings=(
            edges.RELOADED(
                "the edge overlooks what a certificate is for, and its profile",
                (
                    edges.bind(
                        edges.DICOM, "verify required", "verify required crt-ignore-err X509_V_ERR_INVALID_PURPOSE"
                    ),
                    *edges.without(edges.DICOM, "wrong-profile"),
                ),
            ),
        ),
    ),
    _STRANGER(
        "abuse.dicom-plain",
        "DICOM: no TLS on the TLS port",
        attempt=Misuse("dicom-plain", words=fresh_instance),
        evidence=_refused("not-tls"),
        control="the DICOM edge speaks TLS alone",
        weakenings=(
            edges.RELOADED(
                "the edge listens without TLS, and drops the rules that need a certificate's name",
                (
                    Edit(edges.DICOM, r"^( *bind :\d+) ssl .*$", r"\1"),
                    *edges.without(edges.DICOM, *edges.NAMED, "ae-mismatch"),
                ),
            ),
        ),
    ),
    _STRANGER(
        "abuse.dicom-old-tls",
        "DICOM: TLS 1.1",
        attempt=Misuse("dicom-old-tls", words=fresh_instance),
        evidence=_refused("old-tls"),
        control="the DICOM edge speaks TLS 1.2 and 1.3 (BCP 195)",
        weakenings=(
            edges.RELOADED(
                "the edge speaks TLS 1.1, with the ciphers that this takes",
                (edges.bind(edges.DICOM, " ssl ", " ssl ssl-min-ver TLSv1.1 ciphers ALL:@SECLEVEL=0 "),),
            ),
        ),
    ),
)
