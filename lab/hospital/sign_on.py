"""The sign-on of people, at which somebody signs in as with a browser: from a workstation that a flow lets ask."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.errors import UsageError
from lab.hospital.answers import Answer, read
from lab.hospital.codes import fresh_code
from lab.hospital.errors import CommandFailedError
from lab.hospital.programs import program
from lab.trust.one_time_password import one_time_password
from lab.trust.partners import read_partners
from lab.trust.personal import personal_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import Page

    from lab.engine.lab import Lab

SERVICE = "sign-on"
UNLOCK = "pacslab-sign-on-unlock"


class Statement(Answer):
    """A form with which a browser brings what a partner's sign-on states (SAML 2.0 Bindings 3.5.4).

    Attributes:
        action: Where it is brought.
        fields: Its fields.
    """

    action: str
    fields: dict[str, str]


class Visit(Answer):
    """What came of a visit to the sign-on.

    Attributes:
        asked: Whether the page asked for a one-time password.
        told: The numbers of the messages on the last page (LemonLDAP::NG, Portal::Main::Constants).
        signed_in: Whether there is a session afterwards.
        sent_to: The address of another site that the browser was sent to.
        cookies: What was set, with its attributes (RFC 6265 4.1).
        statement: What a partner's sign-on states of somebody, where it was kept and not brought.
    """

    asked: bool
    told: list[int]
    signed_in: bool
    sent_to: str
    cookies: list[str]
    statement: Statement | None = None


def browse(lab: Lab, caller: str, host: str, address: str, shown: Mapping[str, Any]) -> str:
    """Visit a page of a host from another one as a browser does; what comes back is JSON (``programs/portal.py``).

    Raises:
        CommandFailedError: the host is not there, or does not prove its name.
    """
    argv = ["python3", "-I", "-c", program("portal.py").decode(), address]
    done = lab.run(caller, argv, input=json.dumps(shown).encode(), timeout=60)
    if done.code != 0:
        raise CommandFailedError(
            f"visit of {host} from {caller} failed: {done.stderr[-300:]}", remedy=f"See 'pacslab logs {host}'."
        )
    return done.stdout


@dataclass(frozen=True)
class SignOn:
    """A lab's sign-on.

    Attributes:
        lab: The lab.
        host: The sign-on's host.
        caller: The workstation at which people sign in.
    """

    lab: Lab
    host: str
    caller: str

    @classmethod
    def of(cls, lab: Lab) -> SignOn:
        """The sign-on of a lab.

        Raises:
            UsageError: the site has none that a workstation reaches.
        """
        site = lab.site
        for flow in site.flows:
            if flow.service == SERVICE and {flow.source, flow.target} <= site.managed.keys():
                return cls(lab, flow.target, flow.source)
        raise UsageError(
            "The site has no sign-on.", remedy=f"Give a host a role that offers {SERVICE}, and a flow to it."
        )

    @property
    def address(self) -> str:
        """Of its pages."""
        return f"https://{self.lab.site.fqdn(self.host)}"

    def password(self, person: str) -> str:
        """The password that the lab made for a person."""
        return personal_secret(self.lab.site, self.lab.folder, person, "password")

    def code(self, person: str, at: float | None = None) -> str:
        """A person's one-time password that this process has not shown yet, or that of another time."""
        if at is None:
            return fresh_code(self.lab, person)
        seed = personal_secret(self.lab.site, self.lab.folder, person, "one-time-password")
        return one_time_password(seed, at).code

    def fill_in(self, page: Page, person: str) -> None:
        """Show both of a person's factors in a real browser, on whose page the sign-on asks for them."""
        page.locator("[name=user]").fill(person)
        page.locator("[name=password]").fill(self.password(person))
        page.keyboard.press("Enter")
        page.locator("[name=code]").fill(self.code(person))
        page.keyboard.press("Enter")

    def shown(self, person: str, password: str, code: str) -> dict[str, Any]:
        """What a browser needs to sign somebody in; of a partner's people also the way to their home."""
        name, _, partner = person.partition("@")
        factors = {"name": name, "password": password, "code": code}
        if not partner:
            return factors
        site = self.lab.site
        home = f"https://{site.fqdn(site.topology.partners[partner].host)}"
        authority = read_partners(self.lab.folder)[partner]["authority"]
        return {**factors, "partner": partner, "authority": authority, "sites": [self.address, home]}

    def sign_in(self, person: str, password: str, code: str = "", page: str = "/") -> Visit:
        """Show a person's password, and the one-time password when it is asked for; without one, leave it at that.

        Raises:
            CommandFailedError: the sign-on is not there, or does not prove its name.
        """
        return self._visit(page, self.shown(person, password, code))

    def stated(self, person: str) -> Visit:
        """Have somebody of a partner sign in at home, and keep what is stated of it: it is not brought.

        Raises:
            CommandFailedError: one of the two sign-ons is not there, or does not prove its name.
        """
        return self._visit("/", {**self.shown(person, self.password(person), self.code(person)), "keep": True})

    def bring(self, statement: Statement) -> Visit:
        """Come with a statement, and show nothing else.

        Raises:
            CommandFailedError: the sign-on is not there, or does not prove its name.
        """
        return self._visit("/", {"statement": statement.model_dump()})

    def unlock(self, person: str) -> None:
        """Let somebody sign in again at once who has to wait after failed attempts.

        Raises:
            CommandFailedError: the sign-on is not there, or nobody has come to it by that name.
        """
        done = self.lab.run(self.host, [UNLOCK, person])
        if done.code != 0:
            raise CommandFailedError(
                f"{self.host} did not unlock {person}: {done.stderr.strip()[-300:]}",
                remedy=f"See 'pacslab logs {self.host}'.",
            )

    def return_with(self, cookie: str) -> Visit:
        """Come with the cookie of a session, and show nothing else.

        Raises:
            CommandFailedError: the sign-on is not there, or does not prove its name.
        """
        return self._visit("/", {"cookie": cookie})

    def _visit(self, page: str, shown: dict[str, Any]) -> Visit:
        told = browse(self.lab, self.caller, self.host, self.address + page, shown)
        return read(Visit, told, f"visit of {self.host} from {self.caller}")
