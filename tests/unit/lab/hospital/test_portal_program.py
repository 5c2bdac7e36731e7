"""The program that signs in as a browser sends a page's own fields back, and tells what came of it."""

from __future__ import annotations

import http.server
import threading
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qs

import pytest

from lab.hospital.programs import portal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.cookiejar import Cookie

LOGIN = '<form action="/"><input name="token" value="{}"><input name="user"><input name="password"></form>'
CODE = '<form action="/second"><input type="hidden" name="token" value="t2"><input name="code"></form>'
EXPIRED = '<div class="message"><span trmsg="1"></span></div>'
WRONG = '<div class="message"><span trmsg="5"></span></div>' + LOGIN.format("t3")


class Sites(http.server.BaseHTTPRequestHandler):
    """A sign-on that knows one password and one code, and sends who is signed in and asks for it to another site."""

    sent: ClassVar[list[dict[str, list[str]]]] = []

    def do_GET(self) -> None:
        """The page to sign in with, or what is there for who is signed in."""
        if "session=1" not in (self.headers.get("Cookie") or ""):
            self.page(EXPIRED if "session" in (self.headers.get("Cookie") or "") else LOGIN.format("t1"))
        elif self.path == "/application":
            self.sends("https://application.example/back?code=1")
        else:
            self.page("Signed in")

    def do_POST(self) -> None:
        """Take a form."""
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.sent.append(form)
        if self.path == "/second" and form.get("code") == ["123456"]:
            self.sends("/application", cookie="session=1; HttpOnly")
        elif form.get("password") == ["right"]:
            self.page(CODE)
        else:
            self.page(WRONG)

    def page(self, text: str) -> None:
        """Answer with a page."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())

    def sends(self, target: str, cookie: str = "") -> None:
        """Send the browser elsewhere."""
        self.send_response(302)
        self.send_header("Location", target)
        if cookie:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(portal, "CA", None)  # those of this machine: the page is not over TLS here
    Sites.sent.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sites) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def who(password: str, code: str, **more: Any) -> dict[str, Any]:
    return {"name": "ana", "password": password, "code": code, **more}


def test_both_factors_lead_to_a_session_and_on_to_the_application(address: str) -> None:
    found = portal.sign_in(address, who("right", "123456"))
    assert (found["asked"], found["signed_in"], found["told"]) == (True, True, [])
    assert found["sent_to"] == "https://application.example/back?code=1"
    assert found["cookies"] == ["session=1; HttpOnly"]
    assert Sites.sent == [
        {"token": ["t1"], "user": ["ana"], "password": ["right"]},
        {"token": ["t2"], "code": ["123456"]},
    ]


def test_a_password_alone_is_asked_for_a_code_and_leads_nowhere(address: str) -> None:
    found = portal.sign_in(address, who("right", ""))
    assert (found["asked"], found["signed_in"], found["sent_to"]) == (True, False, "")


def test_what_the_page_says_of_a_wrong_password_is_told(address: str) -> None:
    found = portal.sign_in(address, who("wrong", "123456"))
    assert (found["asked"], found["signed_in"], found["told"]) == (False, False, [5])


def test_a_sign_on_that_is_down_signs_nobody_in(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sites, "do_GET", lambda handler: handler.send_error(503))
    found = portal.sign_in(address, who("right", "123456"))
    assert (found["asked"], found["signed_in"]) == (False, False)


@pytest.mark.parametrize(("cookie", "there"), [("session=1", True), ("session=2", False)])
def test_who_comes_with_the_cookie_of_a_session_shows_nothing_else(address: str, cookie: str, there: bool) -> None:  # noqa: FBT001
    found = portal.sign_in(address, {"cookie": cookie})
    assert (found["signed_in"], Sites.sent) == (there, [])


def test_an_application_is_reached_through_the_sign_on_and_asked_in_the_session(address: str) -> None:
    browser = portal.Browser(sites=[address])
    assert portal.sign_in(address, who("right", "123456"), browser=browser)["signed_in"]
    answer = browser.ask(f"{address}shown", headers={"X-Said": "this"})
    assert (answer["status"], answer["text"]) == (200, "Signed in")
    assert browser.ask(f"{address}application")["status"] == 302


def test_a_session_that_somebody_holds_is_shown_to_its_site(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = portal.held

    def over_http(site: str, name: str, value: str) -> Cookie:
        cookie = made(site, name, value)
        cookie.secure = False
        return cookie

    unsaid = portal.Browser(sites=[address], holds={"session": "1"}).ask(address)
    assert "password" in str(unsaid["text"])  # goes over TLS alone
    monkeypatch.setattr(portal, "held", over_http)
    assert portal.Browser(sites=[address], holds={"session": "1"}).ask(address)["text"] == "Signed in"
