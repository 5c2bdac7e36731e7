"""What a partner's sign-on is said to state: altered, unsigned, by a stranger's key, for others, with less, twice."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from lab.abuse.attempt import Parties, PartyMissingError
from lab.abuse.evidence import Evidence
from lab.abuse.failure import AttemptError, require
from lab.abuse.model import AbuseCase
from lab.abuse.parties import flows
from lab.abuse.sights import names_of
from lab.abuse.sign_on import SETTINGS, came_of, is_in, restarted, sign_on_of
from lab.abuse.statement import PASSWORD, Stating, question_in
from lab.abuse.weakening import literal
from lab.hospital.sign_on import SERVICE
from lab.trust.partners import read_partners

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.abuse.attempt import Tried
    from lab.abuse.scene import Scene
    from lab.topology.site import Site

PROGRAM = "/usr/local/lib/site_perl/Pacslab/Partner.pm"
ELSEWHERE = "https://application.example/saml/metadata"
OPTION = '"samlIDPMetaDataOptionsCheck'


def at(site: Site) -> Parties:
    """A workstation, and the sign-on that it reaches, of a site with a partner.

    Raises:
        PartyMissingError: the site has none.
    """
    _partner(site)
    for flow in flows(site, SERVICE):
        return Parties(flow.source, flow.target)
    raise PartyMissingError("the site has no sign-on that somebody reaches")


def at_two_desks(site: Site) -> Parties:
    """The same, with another workstation.

    Raises:
        PartyMissingError: the site has no such three.
    """
    parties = at(site)
    for flow in flows(site, SERVICE, to=parties.target):
        if flow.source != parties.source:
            return Parties(parties.source, parties.target, flow.source)
    raise PartyMissingError("the site has no second workstation from which people sign in")


def _partner(site: Site) -> str:
    """A partner that is trusted and has two people.

    Raises:
        PartyMissingError: the site has none.
    """
    for name, partner in site.topology.partners.items():
        if partner.trusted and len(partner.people) > 1:
            return name
    raise PartyMissingError("the site has no partner with two people")


def stating(scene: Scene, asker: str = "") -> Stating:
    """A good statement of a partner's person, which answers what the browser at the source, or another host, asks."""
    site, key = scene.site, _partner(scene.site)
    sign_on = sign_on_of(scene, asker)
    person = next(iter(site.topology.partners[key].people))
    sent_to = sign_on.sign_in(person, "", page=f"/?idpName={key}").sent_to
    try:
        own = read_partners(scene.lab.folder)[key]["signing_key"]
    except KeyError as error:
        raise AttemptError(f"The lab has no keys of {key}.", remedy="Bring it up again.") from error
    home = f"https://{site.fqdn(site.topology.partners[key].host)}"
    return Stating(sign_on.address, home, question_in(sent_to), person, own)


def altered(scene: Scene) -> Tried:
    """Bring what is stated of oneself, with the name of somebody else in it."""
    made = stating(scene)
    _, other = list(scene.site.topology.partners[_partner(scene.site)].people)[:2]
    return came_of(sign_on_of(scene).bring(made.form({f">{made.name}<": f">{other}<"})))


def unsigned(scene: Scene) -> Tried:
    """Bring a statement that nobody has signed."""
    return came_of(sign_on_of(scene).bring(replace(stating(scene), key="").form()))


def foreign(scene: Scene) -> Tried:
    """Bring a statement that an own key has signed."""
    return came_of(sign_on_of(scene).bring(stating(scene).with_foreign_key().form()))


def for_others(scene: Scene) -> Tried:
    """Bring what the partner has stated for another application."""
    return came_of(sign_on_of(scene).bring(replace(stating(scene), audience=ELSEWHERE).form()))


def with_one_factor(scene: Scene) -> Tried:
    """Bring what the partner states of somebody who has shown a password alone."""
    return came_of(sign_on_of(scene).bring(replace(stating(scene), factors=PASSWORD).form()))


def again(scene: Scene) -> Tried:
    """Bring a statement that its owner has just brought."""
    seen = stating(scene).form()
    first = sign_on_of(scene).bring(seen)
    if not first.signed_in:
        raise AttemptError(f"Its owner was not signed in: {first}", remedy="See the sign-on's log.")
    return came_of(sign_on_of(scene).bring(seen))


def from_another_browser(scene: Scene) -> Tried:
    """Bring what somebody at another workstation asked for, before its owner does."""
    return came_of(sign_on_of(scene).bring(stating(scene, scene.parties.other).form()))


def refused(reason: str) -> Callable[[Scene], Evidence]:
    """The sign-on's event: it says from where, for nobody who is named in a bad statement has been there."""
    return lambda scene: Evidence(scene.parties.target, reason, about=(names_of(scene, scene.parties.source),))


def lets_the_partner_in(scene: Scene, _: Tried) -> str:
    """Unharmed: a good statement signs its person in.

    Raises:
        NotAsPromised: it does not.
    """
    made = stating(scene)
    visit = sign_on_of(scene).bring(made.form())
    require(visit.signed_in, f"afterwards {scene.parties.target} does not sign {made.name} in: {visit}")
    return f"{scene.parties.target} still signs {made.name} in"


UNVERIFIED = (
    restarted(
        "a statement is not asked for its signature",
        literal(SETTINGS, f'{OPTION}SSOMessageSignature": 1', f'{OPTION}SSOMessageSignature": 0'),
    ),
)

_STATEMENT = partial(AbuseCase, parties=at, harm=is_in, unharmed=lets_the_partner_in)
"""Of each the attacker wants the same: to be in as a person of the partner."""

CASES = (
    _STATEMENT(
        "abuse.partner-altered",
        "Sign-on: what a partner states of somebody is altered to be of somebody else",
        attempt=altered,
        evidence=refused("bad-signature"),
        control="what a partner states is signed as a whole",
        weakenings=UNVERIFIED,
    ),
    _STATEMENT(
        "abuse.partner-unsigned",
        "Sign-on: what a partner is said to state, without a signature",
        attempt=unsigned,
        evidence=refused("bad-signature"),
        control="what a partner states is signed",
        weakenings=UNVERIFIED,
    ),
    _STATEMENT(
        "abuse.partner-foreign-key",
        "Sign-on: what a partner is said to state, signed by a stranger's key",
        attempt=foreign,
        evidence=refused("bad-signature"),
        control="of a partner one key is known, and no other is taken",
        weakenings=UNVERIFIED,
    ),
    _STATEMENT(
        "abuse.partner-other-audience",
        "Sign-on: what a partner has stated for another application",
        attempt=for_others,
        evidence=refused("other-conditions"),
        control="a statement says for whom it is",
        weakenings=(
            restarted(
                "a statement for anybody is taken",
                literal(SETTINGS, f'{OPTION}Audience": 1', f'{OPTION}Audience": 0'),
            ),
        ),
    ),
    _STATEMENT(
        "abuse.partner-replayed",
        "Sign-on: what a partner has stated is brought a second time",
        attempt=again,
        evidence=refused("used-answer"),
        control="a statement answers a question, and each is answered once",
        weakenings=(
            restarted(
                "a question is answered as often as somebody likes",
                literal(PROGRAM, "return unlink($file) && $age <= LONGEST", "return $age <= LONGEST"),
            ),
        ),
    ),
    _STATEMENT(
        "abuse.partner-other-browser",
        "Sign-on: what a partner has stated to somebody at another workstation",
        parties=at_two_desks,
        attempt=from_another_browser,
        evidence=refused("other-browser"),
        control="a statement is taken from the browser that asked for it",
        weakenings=(
            restarted(
                "any browser may bring it",
                literal(PROGRAM, "    return 'other-browser' if $browser ne browser_of($req);\n", ""),
            ),
        ),
    ),
    _STATEMENT(
        "abuse.partner-one-factor",
        "Sign-on: a partner's person who has shown a password alone at home",
        attempt=with_one_factor,
        evidence=refused("no-second-factor"),
        control="a partner's people show both factors at home",
        weakenings=(
            restarted(
                "what was shown at home is not asked for",
                literal(PROGRAM, ">= $self->conf->{totp2fAuthnLevel};", ">= 0;"),
            ),
        ),
    ),
)
