"""The sign-on knows the applications that ask for it, verifies its directory, and opens no other way in."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from lab.access.policy import load_policy
from lab.topology.catalog import ROLES_DIR, load_catalog
from lab.topology.role import RoleMeta
from simulators.events.actions import ACTIONS
from simulators.events.keys import FIXED
from simulators.events.reasons import REASONS
from tests.unit.roles.rendered import REFERENCE, files_of
from tests.unit.site_builder import build_site

VIEWER = {
    "redirect": ["/oidc/callback"],
    "place": ["viewer"],
    "secret": ["viewer_client"],
    "end-session": ["/oidc/logout"],
    "signed-out": ["/signed-out"],
}
DESK = {"redirect": ["http://127.0.0.1:8700/signed-in"], "place": ["workstation"]}
SERVICE = {"unit": "a.service", "remedy": "Look"}
CATALOG = load_catalog() | {
    name: RoleMeta.model_validate({"summary": name, **meta})
    for name, meta in {
        "people": {
            "services": {"ldaps": {"port": 636, "presents": "directory-service", **SERVICE}},
            "certificate_profiles": {"directory-service": {"usages": ["serverAuth"]}},
            "secrets": {"sign_on_password": "To read the directory"},
        },
        "images": {"asks": {"sign-on": VIEWER}, "secrets": {"viewer_client": "Client secret"}},
        "desk": {"asks": {"sign-on": DESK}},
        "bystander": {},
    }.items()
}
PERSON = {"given": "A", "family": "B", "department": "C", "roles": ["radiologist"]}
SITE = build_site(
    {
        "site": "tiny",
        "domain": "tiny.internal",
        "zones": {"core": {"vlan": 10, "subnet": "10.0.10.0/24", "purpose": "Servers"}},
        "hosts": {
            name: {"zone": "core", "address": f"10.0.10.{number}", "roles": [role]}
            for number, (name, role) in enumerate(
                {"dc1": "people", "idp1": "sign_on", "web1": "images", "ws1": "desk", "ws2": "bystander"}.items(), 10
            )
        },
        "people": {"ana": PERSON, "ben": {**PERSON, "second_factor": "security-key"}},
        "flows": [
            {"from": "idp1", "to": "dc1", "service": "ldaps", "why": "People"},
            {"from": ["web1", "ws1", "ws2"], "to": "idp1", "service": "sign-on", "why": "Sign-on"},
        ],
    },
    CATALOG,
)
FILES = files_of(SITE, "idp1", "sign_on")
FEDERATED = files_of(REFERENCE, "idp1", "sign_on")
HOME = files_of(REFERENCE, "partner-idp1", "partner_sign_on")
PORTAL: dict[str, Any] = json.loads(FILES["/etc/pacslab/sign-on/portal.json"].text)
NGINX = FILES["/etc/nginx/nginx.conf"].text
PROGRAMS = sorted(ROLES_DIR.glob("*sign_on/files/**/*.pm"))
WRITTEN = re.compile(r"(?:write_event\(|\[) ?'([a-z-]+)', '(success|refused|failed)', (?:'([a-z-]+)')?")


def option(party: str, name: str) -> Any:
    return PORTAL["oidcRPMetaDataOptions"][party].get(f"oidcRPMetaDataOptions{name}")


def test_hosts_that_ask_for_it_are_its_applications() -> None:
    assert set(PORTAL["oidcRPMetaDataOptions"]) == {"web1", "ws1"}
    assert option("web1", "RedirectUris") == "https://web1.tiny.internal/oidc/callback"
    assert option("ws1", "RedirectUris") == "http://127.0.0.1:8700/signed-in"
    assert option("web1", "LogoutUrl") == "https://web1.tiny.internal/oidc/logout"
    assert option("web1", "PostLogoutRedirectUris") == "https://web1.tiny.internal/signed-out"


def test_an_application_with_a_secret_has_to_show_it() -> None:
    assert (option("web1", "ClientSecret"), option("web1", "Public")) == ("secret-of-web1", None)
    assert (option("ws1", "ClientSecret"), option("ws1", "Public")) == (None, 1)


@pytest.mark.parametrize(("party", "place"), [("web1", "viewer"), ("ws1", "workstation")])
def test_who_may_do_nothing_in_an_application_does_not_get_in(party: str, place: str) -> None:
    let_in = set(re.findall(r"inGroup\('([a-z-]+)'\)", option(party, "Rule")))
    policy = load_policy()
    assert let_in == {
        name for name, role in policy.roles.items() if any(policy.actions[action].at == place for action in role.may)
    }
    assert "pacs-administrator" not in let_in


def test_every_application_gets_tokens_by_code_and_proof_key_alone() -> None:
    assert (PORTAL["oidcServiceAllowImplicitFlow"], PORTAL["oidcServiceAllowHybridFlow"]) == (0, 0)
    assert PORTAL["oidcServiceAllowDynamicRegistration"] == 0
    for party in ("web1", "ws1"):
        assert option(party, "RequirePKCE") == 1
        assert option(party, "AuthnLevel") == PORTAL["totp2fAuthnLevel"]
        assert option(party, "IDTokenExpiration") <= 300
        assert option(party, "AccessTokenExpiration") == PORTAL["timeout"]
        assert option(party, "IDTokenForceClaims") == 0, "an application asks for roles again and again"
        assert not {name for name in PORTAL["oidcRPMetaDataOptions"][party] if "Grant" in name or "Refresh" in name}


@pytest.mark.parametrize(
    ("path", "served_by"),
    [
        ("/oauth2/authorize", "people"),
        ("/oauth2", "people"),
        ("/oauth2/token", "applications"),
        ("/oauth2/userinfo", "applications"),
        ("/.well-known/openid-configuration", "applications"),
    ],
)
def test_applications_do_not_wait_behind_people_who_sign_in(path: str, served_by: str) -> None:
    places = re.findall(r"location ~ (\S+) \{(.*?)\n        \}", NGINX, re.DOTALL)
    [place] = [text for pattern, text in places if re.search(pattern, path)]
    assert ("set $portal applications;" in place) == (served_by == "applications")
    assert NGINX.index("set $portal people;") < NGINX.index("location")
    assert "fastcgi_pass unix:/run/pacslab-sign-on/$portal.sock;" in (
        ROLES_DIR / "sign_on/files/nginx-portal.conf"
    ).read_text("utf-8")


def test_the_directory_is_verified_by_the_name_of_its_service() -> None:
    assert PORTAL["ldapServer"] == "ldaps://dc1.tiny.internal/?sslserver=directory-service.dc1.tiny.internal"
    assert (PORTAL["ldapVerify"], PORTAL["ldapCAFile"]) == ("require", "/etc/pacslab/tls/ca.crt")
    assert PORTAL["ldapBase"] == "OU=Staff,DC=tiny,DC=internal"


def test_nobody_enrols_or_resets_anything_at_the_portal() -> None:
    closed = {
        name: value for name, value in PORTAL.items() if re.search("SelfRegistration|UserCanRemove|portalDisplay", name)
    }
    assert len(closed) >= 9
    assert not any(closed.values())
    assert (PORTAL["passwordDB"], PORTAL["registerDB"], PORTAL["sfRequired"]) == ("", "", 1)


def test_each_person_has_the_second_factor_of_the_description_and_of_a_key_the_public_half_alone() -> None:
    rendered = FILES["/etc/pacslab/sign-on/second-factors.json"]
    assert json.loads(rendered.text) == {
        "ana": {"seed": "secret-of-ana"},
        "ben": {"credential": "credential-of-ben", "public_key": "public-key-of-ben"},
    }
    for path in ("second-factors.json", "portal.json"):
        kept = FILES[f"/etc/pacslab/sign-on/{path}"]
        assert (kept.mode, kept.owner, kept.secret) == ("0400", "sign-on", True)


def test_a_sessions_cookie_is_for_this_host_alone() -> None:
    assert PORTAL["cookieName"].startswith("__Host-")
    assert (PORTAL["domain"], PORTAL["securedCookie"], PORTAL["httpOnly"]) == ("", 1, 1)
    assert (PORTAL["timeoutActivity"], PORTAL["timeout"]) == (900, 36000)


@pytest.mark.parametrize(
    ("path", "there"),
    [
        *(
            (path, True)
            for path in ("/", "/totp2fcheck", "/oauth2", "/oauth2/authorize", "/oauth2/token", "/oauth2/jwks")
        ),
        *((path, True) for path in ("/oauth2/logout", "/.well-known/openid-configuration")),
        *((path, False) for path in ("/2fregisters", "/register", "/resetpwd", "/sessions/global/x", "/config/latest")),
        *((path, False) for path in ("/oauth2/register", "/oauth2/introspect", "/saml/singleSignOn", "/totp2fcheck/x")),
    ],
)
def test_only_the_pages_of_signing_in_are_there(path: str, there: bool) -> None:  # noqa: FBT001
    patterns = re.findall(r"location ~ (\S+) \{", NGINX)
    assert len(patterns) == 3
    assert any(re.search(pattern, path) for pattern in patterns) is there


def test_a_request_is_logged_without_its_query() -> None:
    (pattern,) = re.findall(r'"~(\^\(\?<plain>.*)" \$plain;', NGINX)
    found = re.match(pattern.replace("?<", "?P<"), "/oauth2/logout?id_token_hint=eyJ&state=1")
    assert found is not None
    assert found["plain"] == "/oauth2/logout"
    (line,) = re.findall(r"log_format event escape=json '(.*)';", NGINX)
    assert not {"$request ", "$request_uri", "$args", "$query_string", "$http_referer", "$request_body"} & set(
        re.findall(r"\$\w+ ?", line)
    )
    assert set(json.loads(re.sub(r"(?<=: )\$\w+", "0", line))) <= FIXED.keys() | set(ACTIONS["request"].facts)
    assert "error_log syslog:server=unix:/dev/log,nohostname,tag=nginx crit;" in NGINX


def test_an_applications_page_may_find_out_whether_the_sign_on_answers_and_read_nothing_else_of_it() -> None:
    (policies,) = re.findall(r"map \$path \$resource_policy \{(.*?)\}", NGINX, re.DOTALL)
    said = dict(re.findall(r"(\S+)\s+(\S+);", policies))
    assert said == {"/.well-known/openid-configuration": "same-site", "default": "same-origin"}
    assert "add_header Cross-Origin-Resource-Policy $resource_policy always;" in NGINX


def test_requests_are_refused_for_reasons_of_the_table() -> None:
    (table,) = re.findall(r"map \$status \$reason \{(.*?)\}", NGINX, re.DOTALL)
    words = set(re.findall(r"(\S+);", table)) - {'""'}
    assert words <= REASONS.keys()
    assert REASONS["broken-off"].outcome == "failed"
    assert {REASONS[word].outcome for word in words - {"broken-off"}} == {"refused"}


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_the_portals_events_have_words_of_the_tables(program: Any) -> None:
    for action, outcome, reason in WRITTEN.findall(program.read_text("utf-8")):
        assert action in ACTIONS
        assert "pacslab-sign-on" in ACTIONS[action].programs
        assert not reason or REASONS[reason].outcome == outcome


def test_every_reason_that_the_portal_gives_is_one_of_a_refusal() -> None:
    text = "".join(path.read_text("utf-8") for path in PROGRAMS)
    given = set(re.findall(r"=> +'([a-z]+-[a-z-]+)'|_refused\( \$req, '([a-z-]+)'", text))
    words = {word for pair in given for word in pair if word} - {"one-time-password", "security-key"}
    assert len(words) >= 10
    assert {word: REASONS[word].outcome for word in words} == dict.fromkeys(words, "refused")


def of_partner(name: str) -> Any:
    return json.loads(FEDERATED["/etc/pacslab/sign-on/portal.json"].text)[name]


def test_a_site_without_partners_knows_no_other_sign_on() -> None:
    assert PORTAL["authentication"] == "AD"
    assert not [name for name in PORTAL if name.startswith(("samlIDP", "pacslab", "comb", "groups", "macros"))]
    assert "Pacslab::Partner" not in PORTAL["customPlugins"]
    assert "proxySingleSignOn" not in NGINX
    assert FILES["/etc/pacslab/sign-on/pages/bootstrap/customLoginFooter.tpl"].text.count("href=") == 0


def test_of_a_partner_the_sign_on_has_one_certificate_and_believes_what_it_signs() -> None:
    (metadata,) = of_partner("samlIDPMetaDataXML")["partner"].values()
    assert re.findall(r"<ds:X509Certificate>\s*(\S+)\s*</ds:X509Certificate>", metadata) == [
        "signing_certificate-of-partner"
    ]
    assert 'entityID="https://partner-idp1.imaging.internal/saml/metadata"' in metadata
    whole = "".join(file.text for file in FEDERATED.values())
    assert not re.findall(r"(?:authority|signing_key|(?<!signing_)certificate|(?<!_)key)-of-partner", whole)
    options = {
        name.removeprefix("samlIDPMetaDataOptions"): value
        for name, value in of_partner("samlIDPMetaDataOptions")["partner"].items()
    }
    checked = ("CheckSSOMessageSignature", "CheckTime", "CheckAudience", "ForceAuthn")
    assert [options[name] for name in (*checked, "AllowLoginFromIDP")] == [1, 1, 1, 1, 0]


def test_a_partners_people_are_what_the_site_says_under_names_of_their_own() -> None:
    assert of_partner("groups") == {"visiting-clinician": "$_idpConfKey =~ /^(?:partner)$/"}
    assert of_partner("macros")["uid"] == "$_idpConfKey ? $_user . '@' . $_idpConfKey : $uid"
    taken = {
        attribute.split(";")[1] for attribute in of_partner("samlIDPMetaDataExportedAttributes")["partner"].values()
    }
    names = {"2.16.840.1.113730.3.1.241", "2.5.4.42", "2.5.4.4"}  # displayName, givenName, sn
    assert taken == {f"urn:oid:{name}" for name in names}
    assert re.fullmatch(of_partner("userControl"), "e.lund@partner") is None


def test_who_showed_less_than_both_factors_at_home_is_below_what_every_application_asks_for() -> None:
    levels = {
        name: of_partner(name)
        for name in json.loads(FEDERATED["/etc/pacslab/sign-on/portal.json"].text)
        if "ContextMap" in name
    }
    assert levels.pop("samlAuthnContextMapExtra") == {"https://refeds.org/profile/mfa": of_partner("totp2fAuthnLevel")}
    assert len(levels) == 4
    assert all(level < of_partner("totp2fAuthnLevel") for level in levels.values())


def test_a_partner_states_to_the_sites_sign_on_alone_and_signs_it() -> None:
    home = json.loads(HOME["/etc/pacslab/sign-on/portal.json"].text)
    (metadata,) = home["samlSPMetaDataXML"]["idp1"].values()
    assert list(home["samlSPMetaDataXML"]) == ["idp1"]
    assert "https://idp1.imaging.internal/saml/proxySingleSignOnPost" in metadata
    assert home["samlSPMetaDataOptions"]["idp1"]["samlSPMetaDataOptionsSignSSOMessage"] == 1
    assert home["samlServicePrivateKeySig"] == "signing_key-of-partner"
    assert home["sfRequired"] == 1
    people = json.loads(HOME["/etc/pacslab/sign-on/people.json"].text)
    assert people["e.lund"] == {"given": "Eva", "family": "Lund", "password": "secret-of-e.lund@partner"}
    assert all(
        file.mode == "0400" and file.secret
        for path, file in HOME.items()
        if re.search("people|factors|portal|key", path)
    )


def test_a_partner_that_is_trusted_is_offered_to_who_signs_in() -> None:
    page = FEDERATED["/etc/pacslab/sign-on/pages/bootstrap/customLoginFooter.tpl"].text
    assert 'href="/?idpName=partner"' in page
    assert "Partner hospital" in page
