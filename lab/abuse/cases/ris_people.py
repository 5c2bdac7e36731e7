"""People at the RIS who do what is none of theirs, with a session of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.abuse.attempt import Parties, PartyMissingError, Tried
from lab.abuse.evidence import Evidence
from lab.abuse.failure import require
from lab.abuse.model import AbuseCase
from lab.abuse.weakening import EditedFiles, literal
from lab.hospital.hospital import why
from lab.hospital.record import Procedure, Record
from lab.hospital.ris import COMMAND, Ris
from lab.hospital.signed_in import reason_of, run_as, signs_in, who_may

if TYPE_CHECKING:
    from lab.abuse.scene import Scene
    from lab.topology.site import Site

POLICY = "/etc/pacslab/access.json"
READER = "radiologist"
"""The role of who tries: it comes to the RIS for something else."""


def at_ris(site: Site) -> Parties:
    """The RIS, at which people sign in, and where orders come from a record.

    Raises:
        PartyMissingError: the site has none, or nobody who could try.
    """
    for host in site.with_function("order-filler"):
        if host in site.managed and signs_in(site, host) and site.with_function("order-placer"):
            if not _readers(site, host):
                break
            return Parties(host, host)
    raise PartyMissingError("the site has no RIS at which people sign in who schedule nothing")


def _readers(site: Site, host: str) -> list[str]:
    """Who has the role, and comes to the RIS, but schedules nothing."""
    people = site.topology.people
    others = set(who_may(site, host, "request-rejection")) - set(who_may(site, host, "schedule"))
    return sorted(name for name in others if READER in people[name].roles)


def _person(scene: Scene) -> str:
    """The last of them: the first has other work in the lab's cases."""
    return _readers(scene.site, scene.parties.target)[-1]


def _ordered(scene: Scene) -> str:
    """The accession number of an order that has not begun."""
    record = Record.of(scene.hospital)
    patient = scene.once("patient", lambda: record.register(f"Test{scene.token}", "People").patient.identifier)
    return str(record.order(patient, Procedure("CTTRIAL", "CT for a trial", "CT")).accession)


def cancel(scene: Scene) -> Tried:
    """Cancel somebody's examination, signed in as who reads images."""
    accession = _ordered(scene)
    done = run_as(scene.hospital, scene.parties.target, [COMMAND, "cancel", accession], _person(scene))
    said = why(done) if done.code else "done"
    return Tried(done.code == 1 and bool(reason_of(done)), said, {"accession": accession})


def is_cancelled(scene: Scene, tried: Tried) -> str:
    """Harm: the examination is cancelled."""
    accession = str(tried.facts["accession"])
    status = Ris.of(scene.hospital).show(accession).procedure.status
    return f"{scene.parties.target} has {accession} cancelled by {_person(scene)}" if status == "cancelled" else ""


def technologist_cancels(scene: Scene, _: Tried) -> str:
    """Unharmed: who schedules cancels an examination.

    Raises:
        NotAsPromised: it is not cancelled.
    """
    done = Ris.of(scene.hospital).cancel(_ordered(scene))
    require(done.status == "cancelled", f"afterwards {scene.parties.target} has {done.accession} as {done.status}")
    return f"{scene.parties.target} still lets who schedules cancel"


CASES = (
    AbuseCase(
        "abuse.ris-other-role",
        "RIS: a radiologist cancels an examination",
        parties=at_ris,
        attempt=cancel,
        evidence=lambda scene: Evidence(scene.parties.target, "role", about=(frozenset({_person(scene)}),)),
        harm=is_cancelled,
        unharmed=technologist_cancels,
        control="a person does at a command what one of the person's roles may",
        weakenings=(
            EditedFiles(
                "the policy of the RIS lets radiologists schedule",
                (literal(POLICY, f'"{READER}": {{', f'"{READER}": {{"schedule": "department", '),),
                effect=("true",),  # a command reads the policy each time
            ),
        ),
    ),
)
