"""A session ends: it says when, asking does not make it longer, and signing out ends it everywhere at once."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from lab.hospital.viewer import SESSION as VIEWER_COOKIE
from lab.scenarios.examination.people import viewer_of
from lab.scenarios.failure import NothingToJudge, require
from lab.scenarios.identity.facts import actions_at, different_people
from lab.scenarios.identity.viewer import ENDED_WITHIN, OK, SESSION

if TYPE_CHECKING:
    from lab.hospital.viewer import Viewer
    from lab.scenarios.identity.tries import Scene

SETTINGS = "/pages/settings.js"
SIGN_ON_COOKIE = "__Host-sign-on"
UNAUTHORISED = 401
MOST_IDLE, LONGEST = 1800, 43_200
"""Seconds: half an hour without use, and twelve hours whatever happens (SP 800-63B 4.2.3)."""
SLACK = 5.0
"""Seconds by which what is read is older than now."""


def time_outs(stage: Scene) -> str:
    """Somebody opens the viewer, reads when the session ends, and signs out."""
    viewer, site = viewer_of(stage), stage.hospital.site
    person = next((name for name in different_people(site) if "view-images" in actions_at(site, name, "viewer")), None)
    if person is None:
        raise NothingToJudge("the site has nobody who may view images")
    opened = viewer.enter(person, "/", SETTINGS, SESSION)
    require(bool(opened.session), f"{person} was not let in: {opened}")
    page, settings, session = opened.answers
    require(session.status == OK, f"the session is answered with {session.status}")
    for answer, what in ((page, "the page"), (session, "the session")):
        require(answer.head.get("cache-control") == "no-store", f"{what} may be kept: {answer.head}")
    _cookies(opened.cookies)
    limits = _limits(settings.text)
    idle, left = _ends(viewer, opened.session)
    require(
        idle <= min(limits["idle"], MOST_IDLE), f"without use it lasts {idle:.0f} s, the page says {limits['idle']} s"
    )
    require(left <= LONGEST, f"it lasts {left:.0f} s whatever happens")
    require(0 < limits["warn"] < limits["idle"], f"the page warns {limits['warn']} s before {limits['idle']} s")
    (cookie,) = {
        value for value in map(_value, opened.cookies) if value.startswith(f"{SIGN_ON_COOKIE}=") and value[-1] != "="
    }
    viewer.sign_out(opened.session, cookie)
    stage.eventually(
        lambda: viewer.ask(opened.session, SESSION)[0].status == UNAUTHORISED,
        timeout=ENDED_WITHIN,
        otherwise=f"{person} is still served by the viewer after signing out",
    )
    require(not viewer.sign_on.return_with(cookie).signed_in, f"{person} is still signed in at the sign-on")
    return (
        f"{person}'s session would have ended in {idle:.0f} s without use, {limits['warn']} s after a warning, and in"
        f" {left:.0f} s in any case; signing out ended it at the viewer and at the sign-on"
    )


def _cookies(given: list[str]) -> None:
    """The viewer's cookie is for its host alone, over TLS, and hidden from scripts (RFC 6265bis 4.1.3)."""
    own = [cookie.lower() for cookie in given if cookie.startswith(f"{VIEWER_COOKIE}=")]
    require(bool(own), "the viewer set no cookie")
    for cookie in own:
        words = {part.strip().partition("=")[0] for part in cookie.split(";")[1:]}
        require({"secure", "httponly", "samesite", "path"} <= words and "domain" not in words, f"a cookie has {words}")


def _limits(text: str) -> dict[str, Any]:
    """The times that the page goes by."""
    found: dict[str, Any] = json.loads(text[text.index("{") : text.rindex("}") + 1])
    return found


def _ends(viewer: Viewer, session: str) -> tuple[float, float]:
    """In how many seconds a session ends without use, and in any case; asking leaves both as they are."""
    first, again = viewer.info(session), viewer.info(session)
    ends = float(again["timeout"]), float(again["exp"])
    require(ends == (float(first["timeout"]), float(first["exp"])), "asking when a session ends makes it last longer")
    now = time.time()
    return ends[0] - now - SLACK, ends[1] - now - SLACK


def _value(cookie: str) -> str:
    return cookie.partition(";")[0]
