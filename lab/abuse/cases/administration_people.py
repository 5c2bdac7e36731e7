"""People who sign in as administrators of hosts and are none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lab.abuse.attempt import Parties, PartyMissingError, Tried
from lab.abuse.evidence import Evidence
from lab.abuse.failure import require
from lab.abuse.model import AbuseCase
from lab.abuse.sign_on import SETTINGS, restarted
from lab.abuse.weakening import literal
from lab.hospital.codes import fresh_code, who_has_codes
from lab.hospital.signed_in import reason_of
from lab.operate.administrators import COMMAND, sign_on_of
from lab.trust.personal import personal_secret

if TYPE_CHECKING:
    from lab.abuse.scene import Scene
    from lab.engine.lab import Completed
    from lab.topology.site import Site


def at_administration(site: Site) -> Parties:
    """Where administrators sign in, and the sign-on.

    Raises:
        PartyMissingError: they do not sign in, or everybody is one.
    """
    for host in site.with_function("administration"):
        flow = sign_on_of(site, host)
        if flow is not None and {flow.source, flow.target} <= site.managed.keys() and _others(site):
            return Parties(flow.source, flow.target)
    raise PartyMissingError("the site's administrators do not sign in before they come to a host")


def _others(site: Site) -> list[str]:
    """Who signs in with a one-time password and administers nothing."""
    return [name for name in who_has_codes(site) if name not in site.administrators]


def _person(scene: Scene) -> str:
    """The last of them: the first have other work in the lab's cases."""
    return _others(scene.site)[-1]


def _proves(scene: Scene, person: str) -> Completed:
    """Have somebody show both factors, as ``pacslab ssh`` does before it gives a certificate."""
    password = personal_secret(scene.site, scene.lab.folder, person, "password")
    typed = f"{password}\n{fresh_code(scene.lab, person)}\n".encode()
    return scene.hospital.run(scene.parties.source, [COMMAND, "prove", person, scene.token, "--json"], input=typed)


def sign_in(scene: Scene) -> Tried:
    """Sign in with both factors of the own, and no role that lets administer."""
    done = _proves(scene, _person(scene))
    said = json.loads(done.stdout or "{}")
    stated = "id_token" in said
    return Tried(reason_of(done) == "role", str(said.get("message", "let in")), {"stated": stated})


def is_stated(scene: Scene, tried: Tried) -> str:
    """Harm: the sign-on states that it has let them in there, for which a certificate is given."""
    parties = scene.parties
    return f"{parties.target} states {_person(scene)} to {parties.source}" if tried.facts["stated"] else ""


def lets_administrators_sign_in(scene: Scene, _: Tried) -> str:
    """Unharmed: an administrator signs in there.

    Raises:
        NotAsPromised: none does.
    """
    person = next(name for name in who_has_codes(scene.site) if name in scene.site.administrators)
    done = _proves(scene, person)
    require(done.code == 0, f"afterwards {scene.parties.source} does not sign {person} in: {done.stdout[-300:]}")
    return f"{scene.parties.source} still signs {person} in"


CASES = (
    AbuseCase(
        "abuse.ssh-no-role",
        "SSH: somebody signs in to administer hosts who has no role for it",
        parties=at_administration,
        attempt=sign_in,
        evidence=lambda scene: Evidence(scene.parties.target, "role", about=(frozenset({_person(scene)}),)),
        harm=is_stated,
        unharmed=lets_administrators_sign_in,
        control="the sign-on lets nobody in where none of the person's roles may do something",
        weakenings=(
            restarted(
                "everybody is let in where administrators sign in",
                literal(SETTINGS, "\"inGroup('pacs-administrator')\"", '"1"'),
            ),
        ),
    ),
)
