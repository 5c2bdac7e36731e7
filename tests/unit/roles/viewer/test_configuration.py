"""The web server asks for the roles that the policy says, tells the gateway who asks, and has nothing else open."""

from __future__ import annotations

import json
import re
from functools import cache

import pytest

from lab.access.policy import load_policy
from lab.topology.catalog import ROLES_DIR
from simulators.access import policy, subject
from tests.unit.roles.rendered import REFERENCE, files_of

POLICY = load_policy()


@cache
def configuration() -> str:
    return files_of(REFERENCE, "web1", "viewer")["/etc/apache2/apache2.conf"].text


def location(path: str) -> str:
    """A location of the configuration."""
    found = re.search(rf"<Location {re.escape(path)}>\n(.*?)\n    </Location>", configuration(), re.DOTALL)
    assert found is not None, path
    return found[1]


def roles_that_may(*actions: str) -> set[str]:
    return {name for name, role in POLICY.roles.items() if set(actions) & set(role.may)}


def required(text: str, method: str | None = None) -> set[str]:
    """The roles that a location asks for, of requests with this method."""
    if method is not None:
        found = re.search(rf"Require method {method}\n(.*?)</RequireAll>", text, re.DOTALL)
        assert found is not None, method
        text = found[1]
    return set(re.findall(r"Require claim groups:(\S+)", text))


def test_each_location_asks_for_the_roles_that_may_do_something_there() -> None:
    anything = roles_that_may("search-studies", "view-images", "add-images", "break-glass")
    assert required(location("/")) == anything
    assert required(location("/dicom-web/"), "GET") == roles_that_may("search-studies", "view-images")
    assert required(location("/dicom-web/"), "POST") == roles_that_may("add-images")
    assert required(location("/gateway/"), "GET") == anything
    assert required(location("/gateway/"), "POST") == roles_that_may("break-glass")
    assert not {"pacs-administrator", "security-analyst", "service-desk", "vendor"} & required(configuration())


@pytest.mark.parametrize("path", ["/dicom-web/", "/gateway/"])
def test_no_method_passes_but_get_and_post(path: str) -> None:
    assert re.findall(r"Require method (.*)", location(path)) == ["GET", "POST"]
    assert location(path).count("<RequireAll>") == 2


def test_the_gateway_gets_the_policy() -> None:
    rendered = json.loads(files_of(REFERENCE, "web1", "simulators")["/etc/pacslab/access.json"].text)
    assert rendered == {"roles": {name: dict(role.may) for name, role in POLICY.roles.items()}}


def test_the_gateway_reads_the_policy_as_it_is_written(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("policy") / "access.json"
    path.write_text(files_of(REFERENCE, "web1", "simulators")["/etc/pacslab/access.json"].text)
    known = policy.load(path)
    for name, role in POLICY.roles.items():
        assert known.actions([name]) == {action: scope.value for action, scope in role.may.items()}


@pytest.mark.parametrize(
    "header",
    [subject.PERSON, subject.ROLES, subject.DEPARTMENT, subject.SESSION, subject.ADDRESS, subject.BROWSER],
)
def test_what_the_gateway_believes_comes_from_the_web_server_alone(header: str) -> None:
    text = configuration()
    assert f"RequestHeader unset {header} early\n" in text
    proxied = re.search(r'<LocationMatch "\^/\(dicom-web\|gateway\)/">\n(.*?)</LocationMatch>', text, re.DOTALL)
    assert proxied is not None
    assert len(re.findall(rf"RequestHeader set {header} expr=\S+\n", proxied[1])) == 1
    assert "RequestHeader unset Cookie\n" in proxied[1]


def test_sessions_end_by_themselves_and_their_cookie_is_for_this_server_alone() -> None:
    text = configuration()
    for line in (
        "OIDCSessionInactivityTimeout 900", "OIDCSessionMaxDuration 36000", "OIDCCookie __Host-viewer",
        "OIDCCookieSameSite Strict", "OIDCCookieHTTPOnly On", "OIDCPKCEMethod S256", "OIDCPassAccessToken Off",
        "OIDCUserInfoRefreshInterval 45 502_on_error", "OIDCSSLValidateServer On",
    ):  # fmt: skip
        assert f"\n{line}\n" in text
    assert re.search(r"^OIDCRedirectURLsAllowed \^https://web1\\.imaging\\.internal/signed-out\$$", text, re.MULTILINE)


def test_no_page_runs_a_script_of_its_own_or_loads_anything_from_elsewhere() -> None:
    policies = re.findall(r'Content-Security-Policy "(.*)"', configuration())
    assert len(policies) == 2
    for text in policies:
        told = dict(part.strip().partition(" ")[::2] for part in text.split(";"))
        assert told["default-src"] == "'none'"
        assert told["frame-ancestors"] == "'none'"
        assert told["script-src"] in {"'self'", "'self' 'wasm-unsafe-eval'"}
        elsewhere = {word for words in told.values() for word in words.split() if word.startswith("http")}
        assert elsewhere == {"https://idp1.imaging.internal"}


def test_secrets_are_kept_from_other_users_and_from_ansibles_output() -> None:
    file = files_of(REFERENCE, "web1", "viewer")["/etc/apache2/apache2.conf"]
    assert (file.mode, file.secret) == ("0600", True)
    assert "secret-of-web1" in file.text


def test_the_page_knows_the_times_of_the_server() -> None:
    text = files_of(REFERENCE, "web1", "viewer")["/srv/pacslab/settings.js"].text
    told = json.loads(text.partition("window.pacslabSession = ")[2].rstrip().removesuffix(";"))
    assert told["idle"] == 900
    assert told["poll"] < told["unknown"] <= 60
    assert told["logout"] == "https://idp1.imaging.internal/oauth2/logout"


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("/signed-out", "pages/signed-out.html"),
        ("/app-config.js", "pages/app-config.js"),
        ("/pages/settings.js", "settings.js"),
        ("/pages/session.js", "pages/"),
        ("/viewer", "viewer/index.html"),
    ],
)
def test_an_address_leads_to_its_page_by_the_first_alias_that_fits(path: str, file: str) -> None:
    aliases = re.findall(r"^    (Alias|AliasMatch) (\S+) (\S+)$", configuration(), re.MULTILINE)
    fitting = [
        target
        for kind, given, target in aliases
        if (re.search(given, path) if kind == "AliasMatch" else path.startswith(given))
    ]
    assert fitting[0] == f"/srv/pacslab/{file}"


def test_every_failure_has_a_page_that_says_what_to_do_next() -> None:
    pages = dict(re.findall(r"ErrorDocument (\d+) /pages/(\S+)", configuration()))
    assert pages.keys() == {"400", "401", "403", "404", "413", "500", "502", "503"}
    for page in set(pages.values()):
        text = (ROLES_DIR / "viewer" / "files" / "pages" / page).read_text("utf-8")
        assert "<h1>" in text
        assert re.search(r"<a href=|<button", text), page
    away = [pages[status] for status in ("500", "502", "503")]
    assert len(set(away)) == 3, "each says something else"
    for page in away:
        text = (ROLES_DIR / "viewer" / "files" / "pages" / page).read_text("utf-8")
        assert "call the service desk" in text
        assert "in an emergency" in text
    assert "clocks" in (ROLES_DIR / "viewer" / "files" / "pages" / pages["500"]).read_text("utf-8")
