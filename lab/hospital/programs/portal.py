"""Sign in at the sign-on as a browser does, form by form; sent to a host as text, standard library only.

Argument: the address of the page to begin with. Standard input: JSON, ``{"name", "password", "code", "cookie"}``, since
what stands among a process's arguments is seen by others; without a code, only the password is shown, and with a cookie
of somebody's session nothing but that. Output: ``{"asked", "told", "signed_in", "sent_to", "cookies", "answers"}``: see
``lab/hospital/sign_on.py``.

Somebody of a ``"partner"`` takes the page's way to that partner's sign-on, among the ``"sites"``, whose certificate is
of ``"authority"``, in PEM, and signs in there. What it states is brought back; with ``"keep"`` it is not, and its form
is told as ``"statement"``. A statement that is given, ``{"action", "fields"}``, is brought, and nobody signs in.

Where an application sends people to the sign-on, ``"sites"`` are the addresses among which the browser goes where it is
sent; ``"holds"`` are cookies that it has for the first of them; without name and cookie nobody signs in. Then it asks
for ``"then"``: a list of ``{"address", "method", "headers", "text"}``, whose answers are told as they are; ``"octets"``
in the place of a text are in hexadecimal.
"""

from __future__ import annotations

import json
import ssl
import sys
import urllib.error
import urllib.request
from html.parser import HTMLParser
from http.cookiejar import Cookie, CookieJar
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urljoin, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

CA = "/etc/pacslab/tls/ca.crt"
TIMEOUT = 20.0
OK = 200
STATEMENT = "SAMLResponse"
"""The field of a form that has what a partner's sign-on states (SAML 2.0 Bindings 3.5.4)."""
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class Page(HTMLParser):
    """A page: its status, where its form goes, that form's fields, and what it tells (``trmsg`` in LemonLDAP::NG)."""

    def __init__(self, address: str, status: int, text: str) -> None:
        """Read it."""
        super().__init__()
        self.address, self.status, self.action = address, status, address
        self.fields: dict[str, str] = {}
        self.told: list[int] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what stands in a form, links, and the number of a message."""
        said = dict(attrs)
        if tag == "a" and said.get("href"):
            self.links.append(urljoin(self.address, said["href"]))
        elif tag == "form":
            self.action = urljoin(self.address, said.get("action") or self.address)
        elif tag == "input" and said.get("name"):
            self.fields[str(said["name"])] = said.get("value") or ""
        if (said.get("trmsg") or "").isdecimal():
            self.told.append(int(str(said["trmsg"])))


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Leaves it to the browser whether it goes where it is sent."""

    def redirect_request(self, *_: object) -> None:
        """Follow none."""


class Browser:
    """One person's browser, which verifies the site's certificate."""

    def __init__(
        self,
        cookie: str = "",
        sites: Sequence[str] = (),
        holds: Mapping[str, str] | None = None,
        authority: str = "",
    ) -> None:
        """Open it, without any cookie, with one from elsewhere, or with those that it holds for the first site.

        It knows the site's CA, and another ``authority``, as browsers know those of the world.
        """
        self.cookies: set[str] = {cookie} - {""}
        self.sent_to, self.sites = "", {tuple(urlsplit(site)[:2]) for site in sites}
        context = ssl.create_default_context(cafile=CA)
        if authority:
            context.load_verify_locations(cadata=authority)
        tls = urllib.request.HTTPSHandler(context=context)
        self.jar = CookieJar()
        for name, value in (holds or {}).items():
            self.jar.set_cookie(held(str(urlsplit(sites[0]).hostname), name, value))
        jar = urllib.request.HTTPCookieProcessor(self.jar)
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), tls, jar, NoRedirect)
        brought = [("Cookie", cookie)] if cookie else []
        self.opener.addheaders = [("User-Agent", AGENT), ("Accept", "text/html"), *brought]

    def open(self, address: str, form: dict[str, str] | None = None) -> Page:
        """Ask for a page, or send a form; follow redirects within the site."""
        data = urlencode(form).encode() if form is not None else None
        try:
            answer = self.opener.open(address, data, TIMEOUT)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            self.cookies |= set(answer.headers.get_all("Set-Cookie") or [])
            page = Page(address, answer.status, answer.read().decode("utf-8", "replace"))
        target = urljoin(address, answer.headers.get("Location") or address)
        if target == address:
            return page
        if urlsplit(target)[:2] in {urlsplit(address)[:2], *self.sites}:
            return self.open(target)
        self.sent_to = target
        return page

    def ask(
        self,
        address: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        text: str = "",
        octets: str = "",
    ) -> dict[str, object]:
        """Ask for something; the answer as it is."""
        data = bytes.fromhex(octets) or text.encode() or None
        wish = urllib.request.Request(address, data, dict(headers or {}), method=method)  # noqa: S310 # of a site
        try:
            answer = self.opener.open(wish, timeout=TIMEOUT)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            head = {key.lower(): value for key, value in answer.headers.items()}
            return {"status": answer.status, "head": head, "text": answer.read().decode("utf-8", "replace")}


def held(site: str, name: str, value: str) -> Cookie:
    """A cookie of a whole site and no other (RFC 6265bis 4.1.3.2)."""
    return Cookie(0, name, value, None, False, site, False, False, "/", True, True, None, True, None, None, {})  # noqa: FBT003


def asks_or_refuses(page: Page) -> bool:
    """Whether a page asks for a factor, or tells why it shows nothing."""
    return bool({"password", "code"} & page.fields.keys() or page.told)


def sign_in(address: str, who: Mapping[str, Any], *, browser: Browser | None = None) -> dict[str, object]:
    """Show the password, and the one-time password where it is asked for; then look whether there is a session.

    ``who`` is what the program reads from its standard input.
    """
    cookie, brought = who.get("cookie", ""), who.get("statement")
    browser = browser or Browser(cookie)
    page = browser.open(brought["action"], brought["fields"]) if brought else browser.open(address)
    if who.get("partner"):
        page = browser.open(way_to(page, who["partner"]))
    if "password" in page.fields and not cookie and not brought:
        page = browser.open(page.action, {**page.fields, "user": who["name"], "password": who["password"]})
    asked = "code" in page.fields
    if asked and who["code"]:
        page = browser.open(page.action, {**page.fields, "code": who["code"]})
    statement = {"action": page.action, "fields": page.fields} if STATEMENT in page.fields else None
    if statement and not who.get("keep"):
        page = browser.open(page.action, page.fields)
    told, sent_to = page.told, browser.sent_to
    own = browser.open(urljoin(address, "/"))
    return {
        "asked": asked,
        "told": told,
        "signed_in": own.status == OK and bool(browser.cookies) and not asks_or_refuses(own),
        "sent_to": sent_to,
        "cookies": sorted(browser.cookies),
        "statement": statement if who.get("keep") else None,
    }


def way_to(page: Page, partner: str) -> str:
    """Where a page leads to a partner's sign-on; without such a link it is the page itself."""
    return next((link for link in page.links if f"idpName={partner}" in link), page.address)


if __name__ == "__main__":
    who = json.load(sys.stdin)
    shown = any(who.get(key) for key in ("name", "cookie", "statement"))
    browser = Browser(who.get("cookie", ""), who.get("sites", []), who.get("holds", {}), who.get("authority", ""))
    done = sign_in(sys.argv[1], who, browser=browser) if shown else {}
    json.dump({**done, "answers": [browser.ask(**wish) for wish in who.get("then", [])]}, sys.stdout)
