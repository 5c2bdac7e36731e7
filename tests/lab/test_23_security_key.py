"""Somebody signs in with a security key in a real browser; another key, and none, open nothing (WebAuthn Level 2).

Chromium's own virtual authenticator holds the key that the lab has made, and asks its user as one of hardware would.
"""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from lab.hospital.collected import Collected
from lab.trust.files import key_pem
from lab.trust.personal import personal_secret
from lab.trust.security_key import KIND, credential
from tests.browsing import ANSWERS, Browser, browser
from tests.lab_commands import succeed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.engine.lab import Lab
    from lab.trust.security_key import Credential

pytestmark = pytest.mark.night

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "usb",
    "hasResidentKey": False,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
SESSION = "__Host-sign-on"


@dataclass(frozen=True)
class Desk:
    """Somebody with a security key, at a workstation's browser."""

    lab: Lab
    person: str
    browser: Browser

    @property
    def page(self) -> Any:
        """The page in front of the person."""
        return self.browser.page

    @property
    def sign_on(self) -> str:
        """The address of the sign-on."""
        return self.browser.viewer.sign_on.address

    def own(self) -> Credential:
        """The key that the lab has made for the person."""
        return credential(personal_secret(self.lab.site, self.lab.folder, self.person, KIND))

    def plug_in(self, number: str, private: str) -> tuple[Any, str]:
        """Plug a key into the workstation; how it is spoken to, and its name there."""
        tools = self.page.context.new_cdp_session(self.page)
        tools.send("WebAuthn.enable")
        name = tools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})["authenticatorId"]
        held = {
            "credentialId": base64.b64encode(base64.urlsafe_b64decode(number + "=" * (-len(number) % 4))).decode(),
            "isResidentCredential": False,
            "rpId": self.lab.site.fqdn(self.browser.viewer.sign_on.host),
            "privateKey": private,
            "signCount": int(time.time()) % 2**31,  # goes up from test to test, as a key's own counter does
        }
        tools.send("WebAuthn.addCredential", {"authenticatorId": name, "credential": held})
        return tools, name

    def type_password(self) -> None:
        """Show name and password at the sign-on."""
        self.page.goto(f"{self.sign_on}/", timeout=ANSWERS)
        self.page.locator("[name=user]").fill(self.person)
        self.page.locator("[name=password]").fill(self.browser.viewer.sign_on.password(self.person))
        self.page.keyboard.press("Enter")

    def is_signed_in(self) -> bool:
        """Whether the browser has a session at the sign-on."""
        cookies = self.page.context.cookies(self.sign_on)
        return any(cookie["name"] == SESSION and cookie["value"] for cookie in cookies)

    def told(self, mark: Any, **keys: Any) -> dict[str, Any] | None:
        """The sign-on's event with these keys, at the collector."""
        collected, host = Collected(self.lab), self.browser.viewer.sign_on.host
        line = collected.wait(host, mark, timeout=20, action="sign-in", person=self.person, **keys)
        return line["data"] if line else None

    def mark(self) -> Any:
        """Where the sign-on's log ends now."""
        return Collected(self.lab).mark(self.browser.viewer.sign_on.host)


@pytest.fixture
def desk(clone: Lab) -> Iterator[Desk]:
    """The person, with a browser in which nobody is signed in."""
    people = clone.site.topology.people
    person = next(name for name, entry in people.items() if entry.second_factor == KIND)
    with browser(clone, person) as opened:
        yield Desk(clone, person, opened)


def test_the_own_key_lets_in_and_is_on_record(desk: Desk) -> None:
    mark, key = desk.mark(), desk.own()
    shown = succeed("people", "key", desk.person, "--lab", desk.lab.name, "--json").json
    assert (shown["credential"], shown["private_key"]) == (key.number, key.private)
    tools, name = desk.plug_in(key.number, key.private)
    desk.type_password()
    desk.page.wait_for_url(f"{desk.sign_on}/", timeout=ANSWERS)
    desk.browser.keep("security-key")
    assert desk.told(mark, outcome="success", factor="security-key") is not None
    assert desk.is_signed_in()
    (held,) = tools.send("WebAuthn.getCredentials", {"authenticatorId": name})["credentials"]
    assert held["signCount"] > 0


def test_another_key_of_the_same_number_is_refused_and_on_record(desk: Desk) -> None:
    mark = desk.mark()
    other = credential(key_pem(ec.generate_private_key(ec.SECP256R1())).decode())
    desk.plug_in(desk.own().number, other.private)
    desk.type_password()
    desk.page.get_by_text("does not belong to you or to this page").wait_for(timeout=ANSWERS)
    desk.browser.keep("another-key")
    assert desk.told(mark, outcome="refused", reason="wrong-key") is not None
    assert not desk.is_signed_in()


def test_a_password_without_the_key_opens_nothing(desk: Desk) -> None:
    desk.type_password()
    desk.page.locator("#verify-form").wait_for(state="attached", timeout=ANSWERS)
    desk.browser.keep("no-key")
    assert not desk.is_signed_in()
    assert "/webauthn2fcheck" in (desk.page.locator("#verify-form").get_attribute("action") or "")
