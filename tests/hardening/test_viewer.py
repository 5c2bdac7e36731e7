"""The viewer gives strangers nothing, believes nobody's word of who asks, and leaves nothing in a browser."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from lab.verify.hardening.declare import Sabotage, has_role, promise
from lab.verify.hardening.facts import program
from lab.verify.hardening.sabotages import changed_file

if TYPE_CHECKING:
    from testinfra.host import Host

    from lab.verify.hardening.declare import Target
    from lab.verify.hardening.expect import Expect

VIEWER = has_role("viewer")
SETTINGS = "/etc/apache2/apache2.conf"
RESTART = (
    "systemctl restart apache2; "
    "for n in $(seq 100); do ss -Htln | grep -q ':443 ' && break; sleep 0.1; done; [ $n -lt 100 ]"
)
ALSO = ("hardening.viewer.*",)
IDLE, LONGEST, CONFIRMED = 15 * 60, 12 * 3600, 60
"""Seconds: a shared workstation is left in minutes; SP 800-63B 2.2.3; a changed role counts within a minute."""
CLOSED = (
    "/",
    "/viewer",
    "/start.js",
    "/app-config.js",
    "/dicom-web/studies",
    "/dicom-web/..%2fstudies",
    "/gateway/session",
)
"""What is there for whoever has signed in."""
OPEN = ("/pages/sign-in.html", "/signed-out")
"""What is there for everybody: pages that say how to sign in."""
HEAD = {
    "content-security-policy": r"default-src 'none'.*frame-ancestors 'none'",
    "strict-transport-security": r"max-age=\d{8,}",
    "x-content-type-options": "^nosniff$",
    "x-frame-options": "^DENY$",
    "referrer-policy": "^no-referrer$",
    "cross-origin-opener-policy": "^same-origin$",
    "cross-origin-resource-policy": "^same-origin$",
    "cache-control": "no-store",
}
IDENTITY = ("Person", "Roles", "Department", "Session", "Address", "Browser")
"""Of the headers by which the web server tells the gateway who asks: ``X-Pacslab-*``."""


def asking(target: Target) -> str:
    return program("viewer_questions", f"{target.host}.{target.site.topology.domain}", *CLOSED, *OPEN)


def answers(host: Host, target: Target) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(host.check_output(asking(target)))
    return found


def settings(host: Host, target: Target) -> dict[str, str]:
    """The settings of OpenID Connect by name."""
    pairs = (line.partition(" ") for line in answers(host, target)["settings"])
    return {name: value.strip('"') for name, _, value in pairs if name.startswith("OIDC")}


def edited(expression: str, also: tuple[str, ...] = ALSO, **rest: Any) -> Sabotage:
    return changed_file(SETTINGS, f"sed -i '{expression}' $FILE", then=RESTART, also=also, **rest)


@promise(
    "hardening.viewer.strangers",
    "Who has not signed in gets the pages for signing in and nothing else, whatever is claimed in a request's head.",
    remedy="`pacslab up --again`; the locations in /etc/apache2/apache2.conf.",
    where=VIEWER,
    reads=(asking,),
    sabotage=edited(r's#"^/pages/|#"^/pages/|^/app-config\\.js$|#'),
)
def test_strangers_get_the_pages_for_signing_in(host: Host, target: Target, expect: Expect) -> None:
    found = answers(host, target)
    for how in ("strangers", "forged"):
        wrong = [f"{path} ({found[how][path]})" for path in CLOSED if found[how][path] not in {401, 404}]
        expect.none(wrong, f"pages that are there without a session ({how})")
    expect.equal([200] * len(OPEN), [found["strangers"][path] for path in OPEN], "pages for everybody")
    expect.equal(421, found["other_name"], "answer to another name")


@promise(
    "hardening.viewer.head",
    "Pages of the viewer run its own scripts alone, stand in no frame, and are kept by no browser.",
    remedy="`pacslab up --again`; the Header lines of /etc/apache2/apache2.conf.",
    where=VIEWER,
    each=lambda _: [(name, name) for name in HEAD],
    reads=(asking,),
    sabotage=edited("/set X-Frame-Options/d", on=lambda target: target.value == "x-frame-options"),
)
def test_browsers_are_told_what_a_page_may(host: Host, target: Target, subject: str, expect: Expect) -> None:
    for path, head in answers(host, target)["heads"].items():
        value = head.get(subject, "")
        expect.that(
            re.search(HEAD[subject], value) is not None, f"{subject} of {path} as {HEAD[subject]!r}", repr(value)
        )
        if subject == "content-security-policy":
            (scripts,) = [part.strip() for part in value.split(";") if part.strip().startswith("script-src")] or [value]
            strange = {"'unsafe-inline'", "'unsafe-eval'", "*", "https:", "http:", "data:"} & set(scripts.split())
            expect.none(sorted(strange), f"scripts of others at {path}")


@promise(
    "hardening.viewer.cookies",
    "A cookie goes to this host alone, over TLS, is hidden from scripts, and does not come with other sites' requests "
    "(RFC 6265bis 4.1.3).",
    remedy="`pacslab up --again`; OIDCCookie lines of /etc/apache2/apache2.conf.",
    where=VIEWER,
    reads=(asking,),
    sabotage=edited("s/^OIDCCookieHTTPOnly On/OIDCCookieHTTPOnly Off/"),
)
def test_cookies_are_kept_to_the_host(host: Host, target: Target, expect: Expect) -> None:
    said = settings(host, target)
    expect.that(said.get("OIDCCookie", "").startswith("__Host-"), "a name with __Host-", said.get("OIDCCookie", ""))
    expect.equal("Strict", said.get("OIDCCookieSameSite"), "same site")
    expect.equal("On", said.get("OIDCCookieHTTPOnly", "On"), "hidden from scripts")
    cookies = answers(host, target)["cookies"]
    expect.that(bool(cookies), "a cookie while somebody signs in", "none")
    for cookie in cookies:
        name, _, rest = cookie.partition("=")
        given = {part.strip().partition("=")[0].lower() for part in rest.split(";")[1:]}
        expect.that(name.startswith("__Host-"), "a name with __Host-", name)
        expect.all_of(["secure", "httponly", "samesite"], given, f"of {name[:24]}")


@promise(
    "hardening.viewer.sessions",
    "A session ends a quarter of an hour after its last use, and within half a day; a role that changes counts soon.",
    remedy="viewer_idle_seconds, viewer_session_seconds, viewer_confirm_seconds in group_vars; then `pacslab up`.",
    where=VIEWER,
    reads=(asking,),
    sabotage=edited("s/^OIDCSessionInactivityTimeout .*/OIDCSessionInactivityTimeout 86400/"),
)
def test_sessions_end(host: Host, target: Target, expect: Expect) -> None:
    said = settings(host, target)
    bounds = {
        "OIDCSessionInactivityTimeout": IDLE,
        "OIDCSessionMaxDuration": LONGEST,
        "OIDCUserInfoRefreshInterval": CONFIRMED,
    }
    for name, most in bounds.items():
        value = int(said.get(name, "0").split()[0])
        expect.that(0 < value <= most, f"{name} of 1 to {most} s", f"{value} s")
    expect.equal("server-cache", said.get("OIDCSessionType"), "where sessions are kept")


@promise(
    "hardening.viewer.sign-on",
    "People are sent to the described sign-on alone, which proves its name, for a code with a hashed proof key.",
    remedy="`pacslab up --again`; OIDC lines of /etc/apache2/apache2.conf.",
    where=VIEWER,
    reads=(asking,),
    sabotage=edited("s/^OIDCSSLValidateServer On/OIDCSSLValidateServer Off/"),
)
def test_people_are_sent_to_the_sign_on(host: Host, target: Target, expect: Expect) -> None:
    said, (status, sent) = settings(host, target), answers(host, target)["sent"]
    (sign_on,) = [flow.target for flow in target.site.flows_out(target.host) if flow.service == "sign-on"]
    origin = f"https://{sign_on}.{target.site.topology.domain}"
    expect.equal(f"{origin}/.well-known/openid-configuration", said.get("OIDCProviderMetadataURL"), "sign-on")
    expect.equal(
        ("On", "/etc/pacslab/tls/ca.crt"),
        (said.get("OIDCSSLValidateServer"), said.get("OIDCCABundlePath")),
        "verified by",
    )
    expect.that(status == 302 and sent.startswith(f"{origin}/"), f"sent to {origin}", f"{status} {sent[:80]}")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(sent).query).items()}
    wanted = {"response_type": "code", "code_challenge_method": "S256", "client_id": target.host}
    expect.equal(wanted, {name: asked.get(name) for name in wanted}, "what is asked for")
    expect.all_of(["code_challenge", "state", "nonce"], asked, "what binds the answer")


@promise(
    "hardening.viewer.identity",
    "What a request says of who makes it goes no further: the web server removes it, and tells the gateway itself.",
    remedy="`pacslab up --again`; the RequestHeader lines of /etc/apache2/apache2.conf.",
    where=VIEWER,
    each=lambda _: [(f"X-Pacslab-{name}", f"X-Pacslab-{name}") for name in IDENTITY],
    reads=(asking,),
    sabotage=edited("/RequestHeader set X-Pacslab-Roles/d", on=lambda target: target.value == "X-Pacslab-Roles"),
)
def test_the_gateway_is_told_by_the_web_server(host: Host, target: Target, subject: str, expect: Expect) -> None:
    lines = answers(host, target)["settings"]
    expect.that(f"RequestHeader unset {subject} early" in lines, f"{subject} removed", "it is left")
    own = [line for line in lines if line.startswith(f"RequestHeader set {subject} expr=%{{")]
    expect.equal(1, len(own), f"lines that set {subject}")


@promise(
    "hardening.viewer.record",
    "A request without a session is on record, with the address that it came from.",
    remedy="`pacslab status`; `journalctl -t pacslab-viewer`, and CustomLog in /etc/apache2/apache2.conf.",
    where=VIEWER,
    reads=(asking,),
    sabotage=edited("/^CustomLog /d", (*ALSO, "hardening.processes.running")),  # it writes to a program of its own
)
def test_a_refused_request_is_on_record(host: Host, target: Target, expect: Expect) -> None:
    line = answers(host, target)["recorded"]
    event = json.loads(line) if line else {}
    found = {key: event.get(key) for key in ("action", "outcome", "reason", "peer")}
    wanted = {"action": "request", "outcome": "refused", "reason": "not-signed-in"}
    expect.equal({**wanted, "peer": found["peer"]}, found, "event")
    expect.that(bool(found["peer"]), "where from", line)
