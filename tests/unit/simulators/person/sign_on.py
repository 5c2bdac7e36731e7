"""A sign-on for tests: two pages, the code flow and what it says of a person, over HTTP on loopback."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from simulators.person.portal import COOKIE, SECOND_FACTOR, Portal

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIENT, REDIRECT = "ws1", "http://127.0.0.1:8799/signed-in"
PASSWORD, CODE, TOKEN = "right", "123456", "token-1"


@dataclass
class SignOn:
    """What it knows, and what a test changes of it."""

    port: int = 0
    claims: dict[str, Any] = field(default_factory=dict)
    id_token: dict[str, Any] = field(default_factory=dict)
    """What its ID token says otherwise than it should."""
    known: dict[str, Any] = field(default_factory=dict)
    """What it says of itself otherwise."""
    unauthorised: bool = False
    elsewhere: str = ""
    """Where it sends the browser after the password."""
    says: str = ""
    """The number of the message on the page that does not take a password."""
    asks_for_key: bool = False
    """Whether the second factor is a security key."""
    open: bool = True
    """Whether sessions stand."""
    stays: bool = False
    """Whether they stand after signing out, too."""
    away: int = 0
    """What its web server answers while the sign-on behind it is away."""
    wish: dict[str, str] = field(default_factory=dict)
    """The last request of the code flow."""
    ended: list[str] = field(default_factory=list)

    @property
    def origin(self) -> str:
        """What its addresses begin with."""
        return f"http://127.0.0.1:{self.port}"

    def portal(self) -> Portal:
        """A client of it."""
        return Portal("idp1", self.origin, CLIENT, REDIRECT, None)

    def discovery(self) -> dict[str, Any]:
        """What it says of itself."""
        names = ("authorize", "token", "userinfo", "logout")
        ends = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "end_session_endpoint")
        own = {end: f"{self.origin}/oauth2/{name}" for name, end in zip(names, ends, strict=True)}
        return {"issuer": self.origin, **own, **self.known}

    def tokens(self, form: dict[str, str]) -> dict[str, Any] | None:
        """What a code is worth, with its proof key; nothing without."""
        hashed = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        if hashed.decode() != self.wish["code_challenge"] or form["redirect_uri"] != REDIRECT:
            return None
        told = {
            "iss": self.origin, "sub": "a.rivera", "aud": CLIENT, "nonce": self.wish["nonce"], "exp": 4e9,
            "acr": SECOND_FACTOR, **self.id_token,
        }  # fmt: skip
        body = base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()
        return {"access_token": TOKEN, "id_token": f"e30.{body}.e30"}


class Handler(BaseHTTPRequestHandler):
    """Answers for the sign-on that its server has."""

    state: SignOn

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def answer(self, status: int, text: str = "", **head: str) -> None:
        """Send an answer."""
        self.send_response(status)
        for name, value in head.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_GET(self) -> None:
        """Pages, and what is asked with a token."""
        target = urlsplit(self.path)
        if self.state.away:
            self.answer(self.state.away, "<html>Bad gateway</html>")
        elif target.path == "/.well-known/openid-configuration":
            self.answer(200, json.dumps(self.state.discovery()))
        elif target.path == "/oauth2/authorize":
            self.state.wish = dict(parse_qsl(target.query))
            self.answer(200, '<form action="/"><input name="user"><input name="password"><input name="k" value="1">')
        elif target.path == "/oauth2/userinfo":
            known = self.state.open and self.headers["Authorization"] == f"Bearer {TOKEN}"
            self.answer(200 if known else 401, json.dumps({"sub": "a.rivera", **self.state.claims}))
        elif target.path == "/oauth2/logout" or target.query == "logout=1":
            if target.query == "logout=1" or target.query.startswith("id_token_hint=e30."):
                self.state.ended.append(self.headers["Cookie"])
                self.state.open = self.state.stays
            self.answer(200, "<form>Do you want to log out?</form>")
        else:
            self.answer(404)

    def do_POST(self) -> None:
        """What is typed, and the code."""
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        if self.path == "/oauth2/token":
            told = self.state.tokens(form)
            self.answer(200 if told else 400, json.dumps(told or {}))
        elif "code" in form:
            self.second(form)
        elif (form["user"], form["password"], form["k"]) != ("a.rivera", PASSWORD, "1"):
            told = f'<span trmsg="{self.state.says}"></span>' if self.state.says else ""
            self.answer(401, f'{told}<form><input name="user"><input name="password">')
        elif self.state.asks_for_key:
            self.answer(200, '<form action="/webauthn2fcheck"><input name="credential"><input name="token" value="2">')
        elif self.state.elsewhere:
            self.answer(302, Location=self.state.elsewhere)
        else:
            self.answer(200, '<form action="/totp2fcheck"><input name="code"><input name="token" value="2">')

    def second(self, form: dict[str, str]) -> None:
        """Judge the one-time password."""
        if (form["code"], form["token"]) != (CODE, "2"):
            self.answer(401, '<form action="/totp2fcheck"><input name="code">')
        elif self.state.unauthorised:
            self.answer(403, "no", Set_Cookie=f"{COOKIE}=c1; Path=/")
        else:
            back = f"{REDIRECT}?code=c&state={self.state.wish['state']}"
            self.answer(302, Location=back, Set_Cookie=f"{COOKIE}=c1; Path=/")


@contextmanager
def sign_on() -> Iterator[SignOn]:
    """Serve it meanwhile."""
    state = SignOn()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (Handler,), {"state": state}))
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
