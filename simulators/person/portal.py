"""Signing in at the site's sign-on: a public native client of OpenID Connect (RFC 8252) that shows both factors itself.

A console has no browser, so this goes through the portal's pages as one would, and takes the code flow with a hashed
proof key (RFC 7636 S256). The loopback address to which the browser would be sent back is never opened: the code stands
in the answer that names it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
import urllib.error
import urllib.request
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from simulators.access.denied import DeniedError
from simulators.errors import NotReadyError, RefusedError, UnreachableError
from simulators.events import reasons
from simulators.person.refusals import answer_to_password
from simulators.person.sessions import Session
from simulators.tls import server_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from simulators.settings import Settings

SERVICE = "sign-on"
SECOND_FACTOR = "https://refeds.org/profile/mfa"
"""The ``acr`` that says that both factors were shown."""
AGENT = "pacslab-console"
COOKIE = "__Host-sign-on"
TIMEOUT = 20.0
LONGEST = 2**20
MOST_REDIRECTS = 10
AWAY = (502, 503, 504)
"""What the web server says while the sign-on behind it starts or is away (RFC 9110 15.6.3 to 15.6.5)."""
UNAUTHORISED = 401
SKEW = 60.0
"""Seconds by which two clocks may differ."""


class _Page(HTMLParser):
    """A page's form: where it goes, its fields, and the numbers of what it tells (``trmsg`` of LemonLDAP::NG)."""

    def __init__(self, address: str, text: str) -> None:
        super().__init__()
        self.address, self.action = address, address
        self.fields: dict[str, str] = {}
        self.told: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "form":
            self.action = urljoin(self.address, said.get("action") or self.address)
        elif tag == "input" and said.get("name"):
            self.fields[str(said["name"])] = said.get("value") or ""
        if said.get("trmsg"):
            self.told.add(str(said["trmsg"]))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Follow none by itself."""


class Portal:
    """The sign-on as this host reaches it, and the client that the host is there."""

    def __init__(self, name: str, origin: str, client: str, redirect: str, context: ssl.SSLContext | None) -> None:
        """Speak to it.

        Args:
            name: its host.
            origin: what its addresses begin with, such as ``https://idp1.imaging.internal``.
            client: this host's client id.
            redirect: the loopback address that is registered for it (RFC 8252 7.3).
            context: whom to believe; None only in tests without TLS.
        """
        self.name, self.origin, self._client, self._redirect = name, origin, client, redirect
        self._cookies = CookieJar()
        tls = [urllib.request.HTTPSHandler(context=context)] if context else []
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), *tls, urllib.request.HTTPCookieProcessor(self._cookies), _NoRedirect
        )
        self._opener.addheaders = [("User-Agent", AGENT), ("Accept", "text/html")]

    @classmethod
    def of(cls, settings: Settings) -> Portal:
        """The site's sign-on.

        Raises:
            NotFoundError: no flow leads to one.
            NotReadyError: this host is no client of it, or the trusted certificates cannot be read.
        """
        peer = settings.peer(SERVICE)
        if not settings.sign_on_redirect:
            raise NotReadyError(
                f"{settings.host.name} is no client of the sign-on",
                remedy="A role that signs people in asks `sign-on` for a redirect; configure the host again.",
            )
        return cls(
            peer.name, f"https://{peer.fqdn}", settings.host.name, settings.sign_on_redirect, server_context(settings)
        )

    def sign_in(self, person: str, password: str, code: str, nonce: str | None = None) -> Session:
        """Show both factors, and return the session that comes of it.

        Args:
            person: the name at sign-on.
            password: the first factor.
            code: the second.
            nonce: a word that the ID token is to have (OpenID Connect Core 3.1.2.1); by default one that nobody knows.

        Raises:
            DeniedError: the person may do nothing at this host.
            RefusedError: a factor was not accepted, or an answer is not what it has to be.
            UnreachableError: the sign-on does not answer, or does not prove its name.
        """
        known = self._json(f"{self.origin}/.well-known/openid-configuration")
        if known.get("issuer") != self.origin:
            raise self._unexpected("it calls itself by another name")
        proof, state, word = (secrets.token_urlsafe(32) for _ in range(3))
        nonce = nonce or word
        wish = {
            "response_type": "code",
            "client_id": self._client,
            "redirect_uri": self._redirect,
            "scope": "openid profile",
            "state": state,
            "nonce": nonce,
            "acr_values": SECOND_FACTOR,
            "code_challenge": _hashed(proof),
            "code_challenge_method": "S256",
        }
        page = f"{self._own(known, 'authorization_endpoint')}?{urlencode(wish)}"
        try:
            back = self._through_pages(page, person, password, code)
        except DeniedError:  # both factors were right, so there is a session, which is of no use
            self._exchange(f"{self.origin}/?logout=1")
            raise
        answer = {key: values[0] for key, values in parse_qs(urlsplit(back).query).items()}
        if answer.get("state") != state or "code" not in answer:
            raise self._unexpected("its answer is not to this request, or holds no code")
        told = self._json(
            self._own(known, "token_endpoint"),
            {
                "grant_type": "authorization_code",
                "code": answer["code"],
                "redirect_uri": self._redirect,
                "client_id": self._client,
                "code_verifier": proof,
            },
        )
        self._require(told.get("id_token"), person, nonce)
        cookie = next((str(entry.value) for entry in self._cookies if entry.name == COOKIE), "")
        if not isinstance(told.get("access_token"), str):
            raise self._unexpected("it gives no access token")
        return Session(
            person,
            told["access_token"],
            userinfo=self._own(known, "userinfo_endpoint"),
            end=self._own(known, "end_session_endpoint"),
            cookie=cookie,
            hint=str(told["id_token"]),
        )

    def claims(self, session: Session) -> dict[str, Any] | None:
        """What the sign-on says of a session's person by now; None where the session has ended.

        Raises:
            RefusedError: it says it of somebody else.
            UnreachableError: it does not answer.
        """
        status, _, text = self._exchange(session.userinfo, head={"Authorization": f"Bearer {session.token}"})
        if status == UNAUTHORISED:
            return None
        told = self._object(status, text)
        if told.get("sub") != session.person:
            raise self._unexpected("it tells of somebody else")
        return told

    def sign_out(self, session: Session) -> None:
        """End a session, here and at every application (OpenID Connect RP-Initiated Logout 1.0, 2).

        Raises:
            RefusedError: it does not end.
            UnreachableError: the sign-on does not answer.
        """
        address = f"{session.end}?{urlencode({'id_token_hint': session.hint})}"
        self._exchange(address, head={"Cookie": f"{COOKIE}={session.cookie}"})
        if self.claims(session) is not None:
            raise RefusedError(
                f"{self.name} has not ended the session of {session.person}",
                remedy="It ends when nothing is asked of it for a while; read the sign-on's log.",
            )

    def _through_pages(self, address: str, person: str, password: str, code: str) -> str:
        """Show both factors where the pages ask for them; the address that the browser is sent back to."""
        page = self._open(address)
        if not isinstance(page, _Page) or "password" not in page.fields:
            raise self._unexpected("it does not ask for a password")
        page = self._open(page.action, {**page.fields, "user": person, "password": password})
        if not isinstance(page, _Page) or "code" not in page.fields or "password" in page.fields:
            asks_for_key = isinstance(page, _Page) and "credential" in page.fields
            raise answer_to_password(self.name, page.told if isinstance(page, _Page) else (), asks_for_key=asks_for_key)
        page = self._open(page.action, {**page.fields, "code": code})
        if not isinstance(page, _Page):
            return page
        if any(entry.name == COOKIE for entry in self._cookies):
            raise DeniedError(
                f"{person} may do nothing at {self._client}.",
                remedy="Ask whoever gives out roles, if it should be so.",
                reason=reasons.ROLE,
            )
        raise RefusedError(
            f"{self.name} does not take this one-time password",
            remedy="Each is taken once and for half a minute; wait for the next one.",
        )

    def _open(self, address: str, form: Mapping[str, str] | None = None) -> _Page | str:
        """Ask for a page, or send a form; where it ends: a page of the sign-on, or the address of this client."""
        for _ in range(MOST_REDIRECTS):
            self._require_own(address)
            _, location, text = self._exchange(address, form)
            if not location:
                return _Page(address, text.decode("utf-8", "replace"))
            address, form = urljoin(address, location), None
            if address.startswith(f"{self._redirect}?"):
                return address
        raise self._unexpected("it sends from page to page without end")

    def _json(self, address: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
        status, _, text = self._exchange(address, form)
        return self._object(status, text)

    def _object(self, status: int, text: bytes) -> dict[str, Any]:
        try:
            told = json.loads(text)
        except ValueError:
            told = None
        if status != 200 or not isinstance(told, dict):  # noqa: PLR2004 # OK (RFC 9110 15.3.1)
            raise self._unexpected(f"it answers {status}")
        return told

    def _exchange(
        self, address: str, form: Mapping[str, str] | None = None, head: Mapping[str, str] | None = None
    ) -> tuple[int, str, bytes]:
        """Ask once; status, the address that it sends to, and the body."""
        data = urlencode(form).encode() if form is not None else None
        wish = urllib.request.Request(address, data, dict(head or {}))  # noqa: S310 # of the sign-on: _require_own
        try:
            answer = self._opener.open(wish, timeout=TIMEOUT)
        except urllib.error.HTTPError as error:
            answer = error
        except OSError as error:
            raise UnreachableError(
                f"{self.name} does not answer, or does not prove its name: {getattr(error, 'reason', error)}",
                remedy="Look at `pacslab status`; nobody can act before it answers.",
            ) from error
        with answer:
            try:
                text = answer.read(LONGEST + 1)
            except OSError as error:
                raise UnreachableError(f"{self.name} breaks off its answer", remedy="Try again.") from error
            if answer.status in AWAY:
                raise UnreachableError(
                    f"{self.name} cannot answer now ({answer.status})",
                    remedy="Try again in a moment; if it stays so, look at `pacslab status`.",
                )
            if len(text) > LONGEST:
                raise self._unexpected("it answers with more than a page")
            return answer.status, answer.headers.get("Location") or "", text

    def _own(self, known: Mapping[str, Any], what: str) -> str:
        """An address that the sign-on states of itself."""
        address = str(known.get(what) or "")
        self._require_own(address)
        return address

    def _require_own(self, address: str) -> None:
        """Go nowhere else with what a person has typed."""
        if "{}://{}".format(*urlsplit(address)[:2]) != self.origin:
            raise self._unexpected("it sends to another site")

    def _require(self, token: object, person: str, nonce: str) -> None:
        """Judge an ID token, which the token endpoint itself gave over verified TLS (OpenID Connect Core 3.1.3.7)."""
        try:
            body = str(token).split(".")[1]
            told = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
            audience = told["aud"] if isinstance(told["aud"], list) else [told["aud"]]
            right = (told["iss"], told["sub"], told["nonce"], audience) == (self.origin, person, nonce, [self._client])
            late = time.time() - SKEW - float(told["exp"])
            both = told.get("acr") == SECOND_FACTOR
        except (ValueError, LookupError, TypeError) as error:
            raise self._unexpected("its ID token cannot be read") from error
        if not right:
            raise self._unexpected("its ID token is not for this person, this host and this request")
        if late >= 0:
            raise RefusedError(
                f"what {self.name} states has expired by {late:.0f} s already: its clock and this host's do not agree",
                remedy="Look at service `time-client` in `pacslab status`; `chronyc tracking` tells a host's offset.",
            )
        if not both:
            raise self._unexpected("its ID token does not say that a second factor was shown")

    def _unexpected(self, what: str) -> RefusedError:
        return RefusedError(f"{self.name} answers otherwise than a sign-on: {what}", remedy="Read its log.")


def _hashed(proof: str) -> str:
    """The hash of a proof key (RFC 7636 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(proof.encode()).digest()).rstrip(b"=").decode()
