"""What the workflow's services must refuse: strangers, forged names, operations nobody permitted, broken messages."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from lab.hospital.hospital import Actor
from lab.hospital.record import Record
from lab.scenarios.examination.course import CT_HEAD, MR_HEAD, ExaminationFacts, received
from lab.scenarios.radiology.revocation import revoked
from lab.scenarios.refusal import Refusal
from lab.scenarios.stage import Stage
from lab.trust.store import leaf_file, pki_folder
from lab.trust.untrusted_certificates import Bundle, expired, foreign, self_signed

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.scenarios.model import Step

Here: TypeAlias = Stage[ExaminationFacts]
PROFILE = "dicom-node"
SCANNER, OTHER = Actor("acquisition", CT_HEAD.section), Actor("acquisition", MR_HEAD.section)
PACS, RIS, RECORD = Actor("primary-archive"), Actor("order-filler"), Actor("order-placer")
READER, TECHNOLOGIST = Actor("reading"), Actor("quality-control")


def address(actor: Actor) -> Callable[[Here], str]:
    """The address of a host."""
    return lambda stage: str(stage.hospital.described(stage.hospital.host(actor)).address)


def title(actor: Actor) -> Callable[[Here], str]:
    """The AE title of a host."""
    return lambda stage: str(stage.hospital.described(stage.hospital.host(actor)).ae_title)


def line(*words: str | Callable[[Here], str]) -> Callable[[Here], tuple[str, ...]]:
    """Words that one line must have; some of them are known on the site only."""
    return lambda stage: tuple(word if isinstance(word, str) else word(stage) for word in words)


def named(option: str, actor: Actor) -> Callable[[Here], list[str]]:
    """An option with the AE title of a host."""
    return lambda stage: [option, title(actor)(stage)]


def registers(stage: Here) -> str:
    """Positive control: a patient's registration is received."""
    ris = stage.hospital.host(RIS)
    mark = stage.hospital.collected.mark(ris)
    answer = Record.of(stage.hospital).register(f"Test{stage.token}", "Control")
    return "afterwards " + received(stage, ris, mark, answer.message.control_id)


def held(actor: Actor, name: str) -> Callable[[Here], Bundle]:
    """A good certificate that a host of the lab holds, for use where it does not belong."""

    def take(stage: Here) -> Bundle:
        pki, host = pki_folder(stage.lab.folder), stage.hospital.host(actor)
        key, certificate = (leaf_file(pki, host, name, suffix).read_bytes() for suffix in ("key", "crt"))
        return Bundle(key, certificate, b"")

    return take


at_pacs: partial[Refusal[ExaminationFacts]] = partial(Refusal, source=SCANNER, target=PACS)
at_ris: partial[Refusal[ExaminationFacts]] = partial(Refusal, source=SCANNER, target=RIS)
of_other_certificate = partial(at_pacs, case="dicom-other-certificate")
from_reader: partial[Refusal[ExaminationFacts]] = partial(Refusal, target=RIS, unharmed=registers, source=READER)
from_record: partial[Refusal[ExaminationFacts]] = partial(Refusal, target=RIS, unharmed=registers, source=RECORD)


def refused(*reason: str) -> Callable[[Here], tuple[str, ...]]:
    """The edge's line about the scanner, with a reason."""
    return line("refused", address(SCANNER), *reason)


STRANGERS = (
    at_pacs("no-certificate", "A caller without a certificate", "dicom-no-certificate",
            evidence=refused("no-certificate")),
    of_other_certificate(
        "foreign-ca", "A certificate of a CA that nobody here knows", evidence=refused("certificate-refused"),
        credential=lambda stage: foreign(stage.lab.site, stage.hospital.host(SCANNER), PROFILE),
    ),
    of_other_certificate(
        "self-signed", "A certificate that only its own key vouches for", evidence=refused("SELF_SIGNED"),
        credential=lambda stage: self_signed(stage.lab.site, stage.hospital.host(SCANNER), PROFILE),
    ),
    of_other_certificate(
        "expired", "A certificate that ended yesterday", evidence=refused("EXPIRED"),
        credential=lambda stage: expired(stage.lab.site, stage.lab.folder, stage.hospital.host(SCANNER), PROFILE),
    ),
    of_other_certificate(
        "revoked", "A certificate that worked until it was revoked", evidence=refused("REVOKED"),
        credential=lambda stage: revoked(stage, stage.hospital.host(SCANNER), PROFILE, stage.hospital.host(PACS)),
    ),
    of_other_certificate(
        "wrong-profile", "The host's own log certificate, used for DICOM", evidence=refused("wrong-profile"),
        credential=held(SCANNER, "syslog"),
    ),
    at_pacs("plain-dicom", "DICOM without TLS on the TLS port", "dicom-plain", evidence=refused("not-tls")),
    at_pacs("old-tls", "TLS 1.1", "dicom-old-tls", evidence=refused("old-tls")),
)  # fmt: skip
"""Callers without a certificate that counts, or without TLS that does."""

FORGERS = (
    at_pacs(
        "other-ae-title", "The right certificate with another modality's AE title", "dicom-other-title",
        evidence=line("refused", "ae-mismatch", title(OTHER)), words=named("--ae-title", OTHER),
    ),
    of_other_certificate(
        "stolen-certificate", "Another modality's certificate, from the wrong address",
        evidence=line("refused", "address-mismatch", address(SCANNER)), credential=held(OTHER, "dicom-client"),
    ),
    at_pacs(
        "unknown-called-ae", "A called AE title that is not there", "dicom-unknown-called",
        evidence=line("Rejected association", "NOBODY"), words=lambda _: ["--ae-title", "NOBODY"],
    ),
)  # fmt: skip
"""Callers with a good certificate and a name that is not theirs."""

TRESPASSERS = (
    at_pacs("modality-find", "A scanner asks the PACS for studies", "dicom-find",
            evidence=line("Rejected Find request", title(SCANNER))),
    at_pacs(
        "modality-get", "A scanner retrieves a study from the PACS", "dicom-get",
        evidence=line("Rejected Get request", title(SCANNER)),
        words=lambda stage: ["--instance", stage.facts.examination.study], needs=("store",),
    ),
    at_ris(
        "foreign-worklist", "A scanner asks for another modality's worklist", "dicom-other-worklist",
        evidence=line("refused", "foreign-worklist", title(OTHER)), words=named("--ae-title", OTHER),
    ),
    at_ris(
        "completed-step", "A completed procedure step is changed", "dicom-completed-step",
        host=lambda facts: facts.examination.station, evidence=line("refused", "no longer be updated"),
        words=lambda stage: ["--instance", stage.facts.mpps], needs=("complete",),
    ),
    at_pacs("malformed-pdu", "Text instead of a DICOM message", "dicom-garbage",
            evidence=line("refused", "not-dicom")),
    at_pacs("oversized-pdu", "An association request of almost 4 GiB", "dicom-oversized",
            evidence=line("refused", "not-dicom")),
    at_pacs("malformed-object", "An object without patient, study and series", "dicom-broken-object",
            evidence=line("Store has failed")),
)  # fmt: skip
"""Callers who are who they say, and ask what no flow permits them, or what nobody can read."""

MESSAGES = (
    from_reader("hl7-no-certificate", "HL7 without a certificate", "hl7-no-certificate",
                evidence=line("refused", "no-certificate", address(READER))),
    from_reader(
        "hl7-unlisted-sender", "HL7 with the certificate of a host that no flow lets call", "hl7-unlisted",
        evidence=line("refused", "unlisted"), credential=held(TECHNOLOGIST, "hl7"),
    ),
    from_reader(
        "hl7-other-sender", "HL7 in another application's name", "hl7-other-sender",
        evidence=line("refused", "sender-mismatch"),
        words=lambda stage: ["--sender", stage.hospital.host(RECORD)],
    ),
    from_reader(
        "hl7-other-event", "A workstation sends a patient merge", "hl7-other-event",
        evidence=line("refused", "not-permitted"), words=lambda _: ["--event", "ADT^A40"],
    ),
    from_record("hl7-duplicate", "HL7 with a control id that was used before", "hl7-duplicate",
                evidence=line("refused", "duplicate-control-id")),
    from_record("hl7-malformed", "Messages that are no HL7", "hl7-malformed",
                evidence=line("refused", "malformed")),
)  # fmt: skip
"""HL7 that must not be taken."""

STEPS: tuple[Step[ExaminationFacts], ...] = tuple(
    refusal.step() for refusal in (*STRANGERS, *FORGERS, *TRESPASSERS, *MESSAGES)
)
