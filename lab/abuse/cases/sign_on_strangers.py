"""Strangers who sign in as somebody else: by guessing, with less than both factors, with a code that was seen."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from lab.abuse.evidence import Evidence
from lab.abuse.failure import AttemptError
from lab.abuse.model import AbuseCase
from lab.abuse.sights import names_of
from lab.abuse.sign_on import ADDITIONS, SETTINGS, Pair, came_of, is_in, restarted, sign_on_of, signed_in
from lab.abuse.weakening import literal

if TYPE_CHECKING:
    from lab.abuse.attempt import Tried
    from lab.abuse.scene import Scene

GUESSES = 3
COOKIE = "__Host-sign-on="
ELSEWHERE = "https://sign-on.example/"
GUESSED, ALONE, REPLAYED, LED_AWAY, ROBBED = map(Pair, range(5))


def guess(scene: Scene) -> Tried:
    """Guess a password until it is the right one, and show a code that was seen."""
    sign_on, victim = sign_on_of(scene), GUESSED.victim(scene)
    for number in range(GUESSES):
        sign_on.sign_in(victim, f"a guess, number {number}")
    return came_of(signed_in(scene, victim))


def with_password_alone(scene: Scene) -> Tried:
    """Show a stolen password, and a code that is made up."""
    sign_on, victim = sign_on_of(scene), ALONE.victim(scene)
    made_up = sign_on.code(victim, at=1.0)
    return came_of(sign_on.sign_in(victim, sign_on.password(victim), made_up))


def with_seen_code(scene: Scene) -> Tried:
    """Show what its owner has just shown."""
    sign_on, victim = sign_on_of(scene), REPLAYED.victim(scene)
    password, code = sign_on.password(victim), sign_on.code(victim)
    sign_on.sign_in(victim, password, code)
    return came_of(sign_on.sign_in(victim, password, code))


def with_stolen_cookie(scene: Scene) -> Tried:
    """Take somebody's session from one workstation to another; it is the same in both halves."""
    return came_of(sign_on_of(scene).return_with(scene.once("cookie", lambda: cookie_of(scene))))


def cookie_of(scene: Scene) -> str:
    """The cookie of a session that somebody has at another workstation.

    Raises:
        AttemptError: there is no such session.
    """
    desk, victim = sign_on_of(scene, scene.parties.other), ROBBED.victim(scene)
    session = desk.sign_in(victim, desk.password(victim), desk.code(victim))
    if not session.signed_in:
        raise AttemptError(f"{victim} has no session that could be stolen: {session}", remedy="See the sign-on's log.")
    return next(cookie for cookie in session.cookies if cookie.startswith(COOKIE)).partition(";")[0]


def by_a_link(scene: Scene) -> Tried:
    """Have somebody sign in by a link that leads to another site afterwards."""
    link = f"/?url={b64encode(ELSEWHERE.encode()).decode()}"
    visit = signed_in(scene, LED_AWAY.victim(scene), link)
    tried = came_of(visit)
    return type(tried)(not visit.sent_to, visit.sent_to or "stays at the sign-on", tried.facts)


def stays(scene: Scene) -> Evidence:
    """The sign-on's line: it says from where, for nobody has signed in yet."""
    return Evidence(scene.parties.target, "foreign-redirect", about=(names_of(scene, scene.parties.source),))


def led_away(scene: Scene, tried: Tried) -> str:
    """Harm: the browser goes where the link says."""
    sent_to = str(tried.facts["sent_to"])
    return f"{scene.parties.target} sends the browser to {sent_to}" if sent_to.startswith(ELSEWHERE) else ""


CASES = (
    AbuseCase(
        "abuse.sign-on-guessing",
        "Sign-on: a password is guessed",
        parties=GUESSED.at,
        attempt=guess,
        evidence=GUESSED.refused("too-many-attempts"),
        harm=is_in,
        unharmed=GUESSED.lets_others_in,
        control="after failed attempts a person waits, and longer each time",
        weakenings=(
            restarted(
                "nobody waits",
                literal(SETTINGS, ' Pacslab::Delay"', '"'),
            ),
        ),
    ),
    AbuseCase(
        "abuse.sign-on-password-alone",
        "Sign-on: a stolen password, without the second factor",
        parties=ALONE.at,
        attempt=with_password_alone,
        evidence=ALONE.refused("wrong-code"),
        harm=is_in,
        unharmed=ALONE.lets_others_in,
        control="everybody is asked for a second factor",
        weakenings=(
            restarted(
                "nobody is asked for one",
                literal(ADDITIONS, "    secondFactor    => 'requireSecondFactor',\n", ""),
                literal(SETTINGS, '"totp2fActivation": 1', '"totp2fActivation": 0'),
                literal(SETTINGS, '"sfRequired": 1', '"sfRequired": 0'),
            ),
        ),
    ),
    AbuseCase(
        "abuse.sign-on-used-code",
        "Sign-on: a one-time password that was seen when its owner typed it",
        parties=REPLAYED.at,
        attempt=with_seen_code,
        evidence=REPLAYED.refused("used-code"),
        harm=is_in,
        unharmed=REPLAYED.lets_others_in,
        control="a one-time password is taken once (RFC 6238 5.2)",
        weakenings=(
            restarted(
                "it is taken as long as it is valid",
                literal(ADDITIONS, "    sfAfterVerify  => 'acceptOnce',\n", ""),
            ),
        ),
    ),
    AbuseCase(
        "abuse.sign-on-foreign-redirect",
        "Sign-on: a link that leads to another site once somebody has signed in",
        parties=LED_AWAY.at,
        attempt=by_a_link,
        evidence=stays,
        harm=led_away,
        unharmed=LED_AWAY.lets_others_in,
        control="browsers are sent to no other site than an application's",
        weakenings=(
            restarted("every site is trusted", literal(SETTINGS, '"trustedDomains": ""', '"trustedDomains": "*"')),
        ),
    ),
    AbuseCase(
        "abuse.sign-on-stolen-session",
        "Sign-on: the cookie of somebody's session, at another workstation",
        parties=ROBBED.at_another_desk,
        attempt=with_stolen_cookie,
        evidence=ROBBED.refused("other-browser"),
        harm=is_in,
        unharmed=ROBBED.lets_others_in,
        control="a session is kept to the browser and the address that it began at",
        weakenings=(
            restarted(
                "a session is whoever's has its cookie",
                literal(ADDITIONS, "use constant forAuthUser => 'sameBrowser';\n", ""),
            ),
        ),
    ),
)
