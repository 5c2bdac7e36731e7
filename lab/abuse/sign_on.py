"""Attempts at the sign-on: from a workstation, as with a browser, against somebody who works there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.abuse.attempt import Parties, PartyMissingError, Tried
from lab.abuse.evidence import Evidence
from lab.abuse.failure import require
from lab.abuse.parties import flows
from lab.abuse.weakening import Edit, EditedFiles
from lab.hospital.codes import who_has_codes
from lab.hospital.sign_on import SERVICE, SignOn

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.abuse.scene import Scene
    from lab.engine.lab import Lab
    from lab.hospital.sign_on import Visit
    from lab.topology.site import Site

SETTINGS = "/etc/pacslab/sign-on/portal.json"
ADDITIONS = "/usr/local/lib/site_perl/Pacslab/SignOn.pm"
ASK = ["curl", "--silent", "--fail", "--output", "/dev/null", "--config", "/etc/pacslab/sign-on/health.curl"]


@dataclass(frozen=True)
class Pair:
    """Two people of the site for one case: a one-time password is taken once, so no two cases share somebody.

    Attributes:
        number: Of the case, from 0 on.
    """

    number: int

    def at(self, site: Site) -> Parties:
        """A workstation, and the sign-on that it reaches.

        Raises:
            PartyMissingError: the site has none, or too few people.
        """
        if len(who_has_codes(site)) < 2 * self.number + 2:
            raise PartyMissingError("the site has too few people who sign in with a one-time password")
        for flow in flows(site, SERVICE):
            return Parties(flow.source, flow.target)
        raise PartyMissingError("the site has no sign-on that somebody reaches")

    def at_another_desk(self, site: Site) -> Parties:
        """A workstation, the sign-on, and another workstation at which somebody signs in.

        Raises:
            PartyMissingError: the site has no such three, or too few people.
        """
        parties = self.at(site)
        for flow in flows(site, SERVICE, to=parties.target):
            if flow.source != parties.source:
                return Parties(parties.source, parties.target, flow.source)
        raise PartyMissingError("the site has no second workstation from which people sign in")

    def victim(self, scene: Scene) -> str:
        """In whose name it is tried."""
        return who_has_codes(scene.site)[2 * self.number]

    def refused(self, reason: str) -> Callable[[Scene], Evidence]:
        """The event about the victim."""
        return lambda scene: Evidence(scene.parties.target, reason, about=(frozenset({self.victim(scene)}),))

    def lets_others_in(self, scene: Scene, _: Tried) -> str:
        """Unharmed: somebody else signs in.

        Raises:
            NotAsPromised: they do not.
        """
        person = who_has_codes(scene.site)[2 * self.number + 1]
        visit = signed_in(scene, person)
        require(visit.signed_in, f"afterwards {scene.parties.target} does not sign {person} in: {visit}")
        return f"{scene.parties.target} still signs {person} in"


def sign_on_of(scene: Scene, caller: str = "") -> SignOn:
    """The sign-on, as it is seen from the source, or from another host."""
    return SignOn(scene.lab, scene.parties.target, caller or scene.parties.source)


def signed_in(scene: Scene, person: str, page: str = "/") -> Visit:
    """Sign somebody in with both factors."""
    sign_on = sign_on_of(scene)
    return sign_on.sign_in(person, sign_on.password(person), sign_on.code(person), page)


def came_of(visit: Visit) -> Tried:
    """What a visit came to for who is no owner of the name."""
    said = f"messages {visit.told}" if visit.told else "asked for a one-time password" if visit.asked else "let in"
    return Tried(not visit.signed_in, said, {"signed_in": visit.signed_in, "sent_to": visit.sent_to})


def is_in(scene: Scene, tried: Tried) -> str:
    """Harm: a stranger has a session."""
    return f"{scene.parties.target} gave a session to a stranger" if tried.facts["signed_in"] else ""


def _answers(lab: Lab, host: str) -> bool:
    return lab.run(host, ASK).code == 0


def restarted(text: str, *edits: Edit) -> EditedFiles:
    """Change files of the sign-on, and start its portal again."""
    return EditedFiles(text, edits, effect=("systemctl", "restart", "pacslab-sign-on.service"), ready=_answers)
