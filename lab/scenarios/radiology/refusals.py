"""What the workflow's services must refuse: strangers, forged names, operations nobody permitted, broken messages."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from lab.scenarios.radiology.acquisition import examination, station
from lab.scenarios.radiology.clinic import CT_HEAD, MR_HEAD, Clinic
from lab.scenarios.radiology.revocation import revoked
from lab.scenarios.refusal import Refusal
from lab.trust.store import leaf_file, pki_folder
from lab.trust.untrusted_certificates import Bundle, expired, foreign, self_signed

if TYPE_CHECKING:
    from lab.scenarios.model import Step
    from lab.scenarios.stage import Stage

PROFILE = "dicom-node"
WHO = ("PR.AC-1", "PR.DS-2", "PR.PT-1")
"""Controls of attempts that fail for who the caller is."""
WHAT = ("PR.AC-4", "PR.PT-3", "PR.PT-1")
"""Controls of attempts that fail for what they ask."""
HOW = ("PR.DS-6", "PR.PT-1")
"""Controls of attempts that fail for how they are written."""


@dataclass(frozen=True)
class Cast:
    """Who tries what on whom."""

    scanner: str
    scanner_address: str
    scanner_title: str
    other_title: str
    pacs: str
    ris: str
    record: str
    reader: str
    reader_address: str
    technologist: str

    @classmethod
    def of(cls, stage: Stage) -> Cast:
        """Find them in the site."""
        clinic, hosts = Clinic(stage), stage.lab.site.hosts
        scanner = next(name for name, host in hosts.items() if host.modality == CT_HEAD.modality)
        return cls(
            scanner=scanner,
            scanner_address=str(hosts[scanner].address),
            scanner_title=str(hosts[scanner].ae_title),
            other_title=next(str(host.ae_title) for host in hosts.values() if host.modality == MR_HEAD.modality),
            pacs=clinic.pacs,
            ris=clinic.ris,
            record=clinic.record,
            reader=clinic.reader,
            reader_address=str(hosts[clinic.reader].address),
            technologist=clinic.technologist,
        )


def registers(stage: Stage) -> str:
    """Positive control: a patient's registration is received."""
    clinic = Clinic(stage)
    mark = stage.collected.mark(clinic.ris)
    answer = clinic.register("Control")
    return "afterwards " + clinic.received(clinic.ris, mark, answer["message"]["control_id"])


def held(stage: Stage, host: str, name: str) -> Bundle:
    """A good certificate that a host of the lab holds, for use where it does not belong."""
    pki = pki_folder(stage.lab.folder)
    key, certificate = (leaf_file(pki, host, name, suffix).read_bytes() for suffix in ("key", "crt"))
    return Bundle(key, certificate, b"")


def steps(stage: Stage) -> tuple[Step, ...]:
    """Every refusal."""
    cast = Cast.of(stage)
    return tuple(refusal.step() for refusal in (*strangers(cast), *forgers(cast), *trespassers(cast), *messages(cast)))


def strangers(cast: Cast) -> list[Refusal]:
    """Callers without a certificate that counts, or without TLS that does."""
    at_pacs = partial(Refusal, source=cast.scanner, target=cast.pacs, controls=WHO)
    other = partial(at_pacs, case="dicom-other-certificate")

    def refused(*reason: str) -> tuple[str, ...]:
        return ("refused", cast.scanner_address, *reason)

    return [
        at_pacs("no-certificate", "A caller without a certificate", "dicom-no-certificate",
                evidence=refused("no-certificate")),
        other("foreign-ca", "A certificate of a CA that nobody here knows", evidence=refused("certificate-refused"),
              credential=lambda stage: foreign(stage.lab.site, cast.scanner, PROFILE)),
        other("self-signed", "A certificate that only its own key vouches for", evidence=refused("SELF_SIGNED"),
              credential=lambda stage: self_signed(stage.lab.site, cast.scanner, PROFILE)),
        other("expired", "A certificate that ended yesterday", evidence=refused("EXPIRED"),
              credential=lambda stage: expired(stage.lab.site, stage.lab.folder, cast.scanner, PROFILE)),
        other("revoked", "A certificate that worked until it was revoked", evidence=refused("REVOKED"),
              credential=lambda stage: revoked(stage, cast.scanner, PROFILE, cast.pacs)),
        other("wrong-profile", "The host's own log certificate, used for DICOM", evidence=refused("wrong-profile"),
              credential=lambda stage: held(stage, cast.scanner, "syslog")),
        at_pacs("plain-dicom", "DICOM without TLS on the TLS port", "dicom-plain", evidence=refused("not-tls")),
        at_pacs("old-tls", "TLS 1.1", "dicom-old-tls", evidence=refused("old-tls")),
    ]  # fmt: skip


def forgers(cast: Cast) -> list[Refusal]:
    """Callers with a good certificate and a name that is not theirs."""
    at_pacs = partial(Refusal, source=cast.scanner, target=cast.pacs, controls=("PR.AC-1", "PR.AC-6", "PR.PT-1"))
    return [
        at_pacs(
            "other-ae-title", "The right certificate with another modality's AE title", "dicom-other-title",
            evidence=("refused", "ae-mismatch", cast.other_title), words=lambda _: ["--ae-title", cast.other_title],
        ),
        at_pacs(
            "stolen-certificate", "Another modality's certificate, from the wrong address", "dicom-other-certificate",
            evidence=("refused", "address-mismatch", cast.scanner_address),
            credential=lambda stage: held(stage, _host_of(stage, cast.other_title), "dicom-client"),
        ),
        at_pacs(
            "unknown-called-ae", "A called AE title that is not there", "dicom-unknown-called",
            evidence=("Rejected association", "NOBODY"), words=lambda _: ["--ae-title", "NOBODY"],
        ),
    ]  # fmt: skip


def _host_of(stage: Stage, title: str) -> str:
    return next(name for name, host in stage.lab.site.hosts.items() if host.ae_title == title)


def trespassers(cast: Cast) -> list[Refusal]:
    """Callers who are who they say, and ask what no flow permits them, or what nobody can read."""
    at_pacs = partial(Refusal, source=cast.scanner, target=cast.pacs)
    at_ris = partial(Refusal, source=cast.scanner, target=cast.ris)
    return [
        at_pacs("modality-find", "A scanner asks the PACS for studies", "dicom-find", controls=WHAT,
                evidence=("Rejected Find request", cast.scanner_title)),
        at_pacs(
            "modality-get", "A scanner retrieves a study from the PACS", "dicom-get", controls=WHAT,
            evidence=("Rejected Get request", cast.scanner_title),
            words=lambda stage: ["--instance", examination(stage).study], needs=("store",),
        ),
        at_ris(
            "foreign-worklist", "A scanner asks for another modality's worklist", "dicom-other-worklist",
            controls=WHAT, evidence=("refused", "foreign-worklist", cast.other_title),
            words=lambda _: ["--ae-title", cast.other_title],
        ),
        at_ris(
            "completed-step", "A completed procedure step is changed", "dicom-completed-step",
            source=station, controls=("PR.DS-6", "PR.PT-1"), evidence=("refused", "no longer be updated"),
            words=lambda stage: ["--instance", stage.facts["mpps"]], needs=("complete",),
        ),
        at_pacs("malformed-pdu", "Text instead of a DICOM message", "dicom-garbage",
                controls=HOW, evidence=("refused", "not-dicom")),
        at_pacs("oversized-pdu", "An association request of almost 4 GiB", "dicom-oversized",
                controls=HOW, evidence=("refused", "not-dicom")),
        at_pacs("malformed-object", "An object without patient, study and series", "dicom-broken-object",
                controls=HOW, evidence=("Store has failed",)),
    ]  # fmt: skip


def messages(cast: Cast) -> list[Refusal]:
    """HL7 that must not be taken."""
    at_ris = partial(Refusal, target=cast.ris, unharmed=registers)
    reader = partial(at_ris, source=cast.reader)
    record = partial(at_ris, source=cast.record)
    return [
        reader("hl7-no-certificate", "HL7 without a certificate", "hl7-no-certificate",
               controls=WHO, evidence=("refused", "no-certificate", cast.reader_address)),
        reader(
            "hl7-unlisted-sender", "HL7 with the certificate of a host that no flow lets call", "hl7-unlisted",
            controls=WHO, evidence=("refused", "unlisted"),
            credential=lambda stage: held(stage, cast.technologist, "hl7"),
        ),
        reader(
            "hl7-other-sender", "HL7 in another application's name", "hl7-other-sender",
            controls=("PR.AC-1", "PR.AC-6", "PR.PT-1"), evidence=("refused", "sender-mismatch"),
            words=lambda _: ["--sender", cast.record],
        ),
        reader(
            "hl7-other-event", "A workstation sends a patient merge", "hl7-other-event",
            controls=WHAT, evidence=("refused", "not-permitted"), words=lambda _: ["--event", "ADT^A40"],
        ),
        record("hl7-duplicate", "HL7 with a control id that was used before", "hl7-duplicate",
               controls=("PR.DS-6", "PR.PT-1"), evidence=("refused", "duplicate-control-id")),
        record("hl7-malformed", "Messages that are no HL7", "hl7-malformed",
               controls=HOW, evidence=("refused", "malformed")),
    ]  # fmt: skip
