"""Sign in at the sign-on as a browser does, form by form; sent to a host as text, standard library only.

Argument: the address of the page to begin with. Standard input: JSON, ``{"name", "password", "code", "cookie"}``, since
what stands among a process's arguments is seen by others; without a code, only the password is shown, and with a cookie
of somebody's session nothing but that. Output: ``{"asked", "told", "signed_in", "sent_to", "cookies"}``: see
``lab/hospital/sign_on.py``.
"""

from __future__ import annotations

import json
import ssl
import sys
import urllib.error
import urllib.request
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from urllib.parse import urlencode, urljoin, urlsplit

CA = "/etc/pacslab/tls/ca.crt"
TIMEOUT = 20.0
OK = 200
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class Page(HTMLParser):
    """A page: its status, where its form goes, that form's fields, and what it tells (``trmsg`` in LemonLDAP::NG)."""

    def __init__(self, address: str, status: int, text: str) -> None:
        """Read it."""
        super().__init__()
        self.address, self.status, self.action = address, status, address
        self.fields: dict[str, str] = {}
        self.told: list[int] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what stands in a form, and the number of a message."""
        said = dict(attrs)
        if tag == "form":
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

    def __init__(self, cookie: str = "") -> None:
        """Open it, without any cookie or with one from elsewhere."""
        self.cookies: set[str] = {cookie} - {""}
        self.sent_to = ""
        tls = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=CA))
        jar = urllib.request.HTTPCookieProcessor(CookieJar())
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
        if urlsplit(target)[:2] == urlsplit(address)[:2]:
            return self.open(target)
        self.sent_to = target
        return page


def asks_or_refuses(page: Page) -> bool:
    """Whether a page asks for a factor, or tells why it shows nothing."""
    return bool({"password", "code"} & page.fields.keys() or page.told)


def sign_in(address: str, name: str, password: str, code: str, cookie: str = "") -> dict[str, object]:
    """Show the password, and the one-time password where it is asked for; then look whether there is a session."""
    browser = Browser(cookie)
    page = browser.open(address)
    if "password" in page.fields and not cookie:
        page = browser.open(page.action, {**page.fields, "user": name, "password": password})
    asked = "code" in page.fields
    if asked and code:
        page = browser.open(page.action, {**page.fields, "code": code})
    told, sent_to = page.told, browser.sent_to
    own = browser.open(urljoin(address, "/"))
    return {
        "asked": asked,
        "told": told,
        "signed_in": own.status == OK and bool(browser.cookies) and not asks_or_refuses(own),
        "sent_to": sent_to,
        "cookies": sorted(browser.cookies),
    }


if __name__ == "__main__":
    who = json.load(sys.stdin)
    json.dump(sign_in(sys.argv[1], who["name"], who["password"], who["code"], who["cookie"]), sys.stdout)
