"""The viewer, which a person opens at a workstation as in a browser, and which others ask with that session."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from lab.errors import UsageError
from lab.hospital.answers import Answer, read
from lab.hospital.sign_on import SignOn, Visit, browse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from playwright.sync_api import Page

    from lab.engine.lab import Lab
    from lab.topology.site import ResolvedFlow

SERVICE = "viewer"
SESSION = "__Host-viewer"
"""The cookie of a session."""
INFO = "/sign-on/callback?info=json&extend_session=false"
LEAVE = "/sign-on/callback?logout=get"
WISHES_TO_SIGN_IN = {"__Host-sign-in": "now"}
"""The cookie that the viewer's page for signing in sets for a moment."""


class Said(Answer):
    """An answer of the viewer's web server, or of the gateway behind it."""

    status: int
    head: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        """What it holds, in JSON."""
        return json.loads(self.text)


class _Told(Answer):
    answers: list[Said]


class Opened(Visit):
    """What came of opening the viewer and signing in."""

    answers: list[Said]

    @property
    def session(self) -> str:
        """The value of the session's cookie, or nothing."""
        values = [cookie.partition(";")[0].partition("=") for cookie in self.cookies]
        return next((value for name, _, value in values if name == SESSION and value), "")


def callers(lab: Lab) -> list[ResolvedFlow]:
    """The flows by which hosts of the lab reach its viewer."""
    site = lab.site
    return [
        flow for flow in site.flows if flow.service == SERVICE and {flow.source, flow.target} <= site.managed.keys()
    ]


@dataclass(frozen=True)
class Viewer:
    """A lab's viewer, and the sign-on that it sends people to.

    Attributes:
        lab: The lab.
        host: The viewer's host.
        sign_on: Where people sign in.
    """

    lab: Lab
    host: str
    sign_on: SignOn

    @classmethod
    def of(cls, lab: Lab) -> Viewer:
        """The viewer of a lab.

        Raises:
            UsageError: the site has none.
        """
        found = [flow.target for flow in callers(lab)]
        if not found:
            raise UsageError("The site has no viewer.", remedy=f"Give a host a role that offers {SERVICE}, and a flow.")
        return cls(lab, found[0], SignOn.of(lab))

    @property
    def address(self) -> str:
        """Of its page."""
        return f"https://{self.lab.site.fqdn(self.host)}"

    def sign_in(self, page: Page, person: str, within: float) -> None:
        """Sign a person in in a real browser, which shows the viewer's page for it, within so many milliseconds."""
        page.get_by_role("button", name="Sign in").click()
        self.sign_on.fill_in(page, person)
        page.locator("#pacslab-person", has_text=person).wait_for(timeout=within)

    def open(self, person: str, *paths: str) -> Opened:
        """Open the viewer, sign in, and ask for these paths in the session."""
        who = self.sign_on.shown(person, self.sign_on.password(person), self.sign_on.code(person))
        holds = {"holds": WISHES_TO_SIGN_IN, "then": self._wishes(paths)}
        return read(Opened, self._run(self.sign_on.caller, {**who, **holds}), f"the viewer, opened by {person}")

    def enter(self, person: str, *paths: str) -> Opened:
        """Open it for who may come in: once more where another process has shown this half minute's code."""
        opened = self.open(person, *paths)
        return opened if opened.session else self.open(person, *paths)

    def ask(
        self,
        session: str,
        *wishes: str | Mapping[str, Any],
        caller: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> list[Said]:
        """Ask for paths with a session's cookie, or none, from the workstation of :attr:`sign_on` or another host.

        A wish is a path, or ``{"address", "method", "headers", "text"}`` of what to send; ``octets`` in the place of a
        text are in hexadecimal.
        """
        holds = {SESSION: session} if session else {}
        told = self._run(caller or self.sign_on.caller, {"holds": holds, "then": self._wishes(wishes, headers)})
        return read(_Told, told, f"the viewer, asked from {caller or self.sign_on.caller}").answers

    def info(self, session: str) -> dict[str, Any]:
        """What the web server says of a session without extending it: ``timeout``, ``exp``, ``id_token_hint``."""
        (answer,) = self.ask(session, INFO)
        found: dict[str, Any] = answer.json
        return found

    def sign_out(self, session: str, sign_on: str = "") -> None:
        """End a session as the page does: here, and with the browser's cookie of the sign-on at all applications."""
        ends = {
            "id_token_hint": self.info(session)["id_token_hint"],
            "post_logout_redirect_uri": f"{self.address}/signed-out",
        }
        head = {"Content-Type": "application/x-www-form-urlencoded", **({"Cookie": sign_on} if sign_on else {})}
        at_sign_on = {"address": f"{self.sign_on.address}/oauth2/logout", "method": "POST", "headers": head}
        self.ask(session, LEAVE, {**at_sign_on, "text": urlencode(ends)})

    def _wishes(
        self, wishes: Sequence[str | Mapping[str, Any]], headers: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        return [self._wish(wish, headers or {}) for wish in wishes]

    def _wish(self, wish: str | Mapping[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
        whole: dict[str, Any] = {"address": wish} if isinstance(wish, str) else dict(wish)
        address = str(whole["address"])
        return {
            **whole,
            "address": f"{self.address}{address}" if address.startswith("/") else address,
            "headers": {**headers, **whole.get("headers", {})},
        }

    def _run(self, caller: str, who: dict[str, Any]) -> str:
        sites = list(dict.fromkeys([self.address, self.sign_on.address, *who.get("sites", [])]))
        return browse(self.lab, caller, self.host, f"{self.address}/", {**who, "sites": sites})
