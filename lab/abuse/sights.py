"""What cases look at: the harm that an attempt did, and that a service is unharmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.abuse.evidence import Evidence, event_of
from lab.abuse.failure import require
from lab.hospital.announcing import announce
from lab.hospital.archive import Archive
from lab.hospital.database import rows
from lab.hospital.image_manager import held
from lab.hospital.record import Procedure, Record
from lab.hospital.ris import Ris

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.abuse.attempt import Tried
    from lab.abuse.scene import Scene
    from lab.hospital.image_manager import KeptProcedure

FOLLOWED_WITHIN = 30.0
"""Seconds in which a system has to follow what another one was told."""
REGISTRATION = "ADT^A04"


def names_of(scene: Scene, host: str) -> frozenset[str]:
    """Every name that an event may have for a host: its own, domain name, address and AE title."""
    addresses = {str(interface.address) for interface in scene.site.interfaces(host)}
    return frozenset({host, scene.site.fqdn(host), *addresses, scene.ae_title(host) or host})


def at_gate(reason: str, action: str = "take-object") -> Callable[[Scene], Evidence]:
    """What the target's archive has to have on record of an object of the source: the action and why it was refused."""
    return lambda scene: Evidence(
        scene.parties.target, reason, about=(names_of(scene, scene.parties.source),), words=(action,)
    )


def stored(scene: Scene, tried: Tried) -> str:
    """Harm: the archive took the image that the attempt tried to store, even if only into its quarantine."""
    uid, target = str(tried.facts["instance"]), scene.parties.target
    if any(entry.instance == uid for entry in held(scene.hospital, target)):
        return f"{target} holds the forged image {uid} in quarantine"
    return in_archive(scene, tried)


def in_archive(scene: Scene, tried: Tried) -> str:
    """Harm: whoever reads from the archive finds the image that the attempt tried to store."""
    uid, target = str(tried.facts["instance"]), scene.parties.target
    found = Archive(scene.hospital, target).find("Instance", SOPInstanceUID=uid)
    return f"{target} holds the forged image {uid}" if found else ""


def patient_kept(scene: Scene, tried: Tried) -> str:
    """Harm: the target keeps the patient whom the attempt invented."""
    query = "SELECT patient_id, family, given FROM patients WHERE patient_id = :'patient'"
    found = rows(scene.lab, scene.parties.target, query, patient=str(tried.facts["patient"]))
    return f"{scene.parties.target} keeps a patient whom nobody registered: {found[0]}" if found else ""


def answers_control(scene: Scene, tried: Tried) -> str:
    """Unharmed: afterwards the source was answered what it asked as permitted.

    Raises:
        NotAsPromised: it was not, or the attempt has no positive control.
    """
    control, target = tried.facts.get("control"), scene.parties.target
    require(control is not None, "the attempt has no positive control, so an unharmed service is not shown")
    require(control and not control.refused, f"afterwards {target} refuses what is permitted too: {control}")
    return f"{target} still answers C-ECHO"


def registers(scene: Scene, _: Tried) -> str:
    """Unharmed: a patient whom the record registers is known at the target, which logs the message.

    Raises:
        NotAsPromised: one of the two is not so.
    """
    target, record = scene.parties.target, record_of(scene)
    scene.begin(target)
    answer = Record(scene.hospital, record).register(f"Test{scene.token}", "Control")
    control_id = answer.message.control_id
    line = scene.wait_logged(target, lambda line: _is_of(line, control_id), timeout=FOLLOWED_WITHIN)
    require(line, f"afterwards {target} logs no message {control_id} of {record}")
    query = "SELECT patient_id FROM patients WHERE patient_id = :'patient'"
    known = rows(scene.lab, target, query, patient=answer.patient.identifier)
    require(known, f"afterwards {target} does not know the patient whom {record} registered")
    return f"{target} still takes {record}'s messages"


def _is_of(line: dict[str, object], control_id: str) -> bool:
    """Whether a line tells that a message was taken."""
    event = event_of(line)
    return event.get("control_id") == control_id and event.get("outcome") in {"received", "success"}


def announced(scene: Scene) -> KeptProcedure:
    """An examination of the source's modality that the target, an archive, expects; the same in both halves."""
    section = scene.hospital.described(scene.parties.source).modality or ""
    return scene.once(
        "announced", lambda: announce(scene.hospital, scene.parties.target, section, f"Test{scene.token}")
    )


def of_announced(scene: Scene) -> list[str]:
    """Arguments of a misuse that name the study of that examination, and its patient."""
    procedure = announced(scene)
    return ["--study", procedure.study_uid, "--patient", procedure.patient, "--accession", procedure.accession]


def record_of(scene: Scene) -> str:
    """The record that registers patients at the target; empty where the target does so itself."""
    flows = scene.site.flows_in(scene.parties.target)
    return next((flow.source for flow in flows if REGISTRATION in flow.permits), "")


def registered(scene: Scene, given: str) -> str:
    """Register a patient as the hospital does; return the identifier."""
    record, family = record_of(scene), f"Test{scene.token}"
    if not record:
        return Ris(scene.hospital, scene.parties.target).register(family, given)
    return Record(scene.hospital, record).register(family, given).patient.identifier


def scheduled(scene: Scene, section: str) -> str:
    """Order an examination as the hospital does; return the AE title of the station that it is scheduled on."""
    record, ris = record_of(scene), Ris(scene.hospital, scene.parties.target)
    patient = registered(scene, "Worklist")
    procedure = Procedure(f"{section}TRIAL", f"{section} for a trial", section)
    if record:
        accession = Record(scene.hospital, record).order(patient, procedure).accession or ""
    else:
        accession = ris.order(patient, procedure).accession
    return ris.show(accession).steps[0].station_ae
