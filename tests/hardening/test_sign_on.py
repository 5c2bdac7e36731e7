"""The sign-on lets nobody in by a password alone, sends nobody elsewhere, and has no page but those of signing in."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from cryptography import x509

from lab.verify.hardening.declare import Sabotage, has_role, promise
from lab.verify.hardening.facts import program
from lab.verify.hardening.sabotages import changed_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from testinfra.host import Host

    from lab.verify.hardening.declare import Target
    from lab.verify.hardening.expect import Expect

SIGN_ON, HOME = has_role("sign_on"), has_role("partner_sign_on")
PORTAL = has_role("sign_on", "partner_sign_on")
SETTINGS, WEB_SERVER = "/etc/pacslab/sign-on/portal.json", "/etc/nginx/nginx.conf"
ANSWERS = (
    "for n in $(seq 100); do curl --silent --fail --output /dev/null --config /etc/pacslab/sign-on/health.curl"
    " && break; sleep 0.2; done; [ $n -lt 100 ]"
)
"""A script that ends when the sign-on answers."""
ALSO = ("hardening.sign-on.*",)
IDLE, LONGEST = 15 * 60, 12 * 3600
"""Seconds: a shared workstation is left in minutes; SP 800-63B 2.2.3 asks for both factors again within a day."""
OWN, OWN_CA = "/etc/pacslab/partner/sign-on.crt", "/etc/pacslab/partner/ca.crt"
PROVEN = {
    "customPlugins": re.compile(r"\bPacslab::SignOn\b"),
    "sfRequired": re.compile("1"),
    "totp2fActivation": re.compile("1"),
    "totp2fSelfRegistration": re.compile("0"),
    "totp2fUserCanRemoveKey": re.compile("0"),
    "webauthn2fSelfRegistration": re.compile("0"),
    "webauthn2fUserCanRemoveKey": re.compile("0"),
    "passwordDB": re.compile(""),
    "registerDB": re.compile(""),
}
"""Settings without which somebody might get in by a password, or enrol a second factor with one."""
FLOW = {
    "oidcServiceAllowAuthorizationCodeFlow": 1,
    "oidcServiceAllowImplicitFlow": 0,
    "oidcServiceAllowHybridFlow": 0,
    "oidcServiceAllowDynamicRegistration": 0,
    "oidcServiceMetaDataDisallowNoneAlg": 1,
}
HEAD = {
    "content-security-policy": r"default-src 'self'.*frame-ancestors 'none'",
    "strict-transport-security": r"max-age=\d{8,}",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": r"no-store|no-cache",
}
ABSENT = (
    "/2fregisters", "/register", "/resetpwd", "/certificateReset", "/refresh", "/contextswitching", "/checkuser",
    "/checkdevops", "/viewer", "/mysessions", "/sessions/global", "/confs/latest", "/notifications", "/notifback",
    "/manager.html", "/index.psgi", "/index.fcgi", "/proxy", "/api", "/status", "/nginx_status", "/server-status",
    "/oauth2/register", "/oauth2/introspect", "/oauth2/checksession.html", "/saml/singleLogout", "/cas/login",
)  # fmt: skip
"""Pages of the portal and of web servers that nobody needs to sign in."""
STATES = "/saml/singleSignOn"
"""The page at which a portal states who somebody is: a partner's alone has it."""
STATEMENT = {
    "CheckSSOMessageSignature": 1,
    "CheckTime": 1,
    "CheckAudience": 1,
    "AllowLoginFromIDP": 0,
    "ForceAuthn": 1,
    "StoreSAMLToken": 0,
}
"""How a partner's statement is taken: signed, in time, for this sign-on, when asked for, and shown afresh."""
PARTIES = '"oidcRPMetaDataOptions": '
OTHER = (
    '"other": {"oidcRPMetaDataOptionsClientID": "other", "oidcRPMetaDataOptionsRedirectUris": "https://other.example/"}'
)
"""An application of somebody else."""


def asking(target: Target) -> str:
    absent = ABSENT if HOME(target) else (*ABSENT, STATES)
    return program("sign_on_questions", f"{target.host}.{target.site.topology.domain}", *absent)


def answers(host: Host, target: Target) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(host.check_output(asking(target)))
    return found


def edited(path: str, expression: str, unit: str = "pacslab-sign-on", **rest: Any) -> Sabotage:
    then = f"systemctl restart {unit}; {ANSWERS}"
    return changed_file(path, f"sed -i '{expression}' $FILE", then=then, also=ALSO, **rest)


def named(settings: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, name) for name in settings]


@promise(
    "hardening.sign-on.directory",
    "A password goes to the directory of the description alone, over TLS, after the directory has proven its name.",
    remedy="`pacslab up --again`; ldapServer, ldapVerify and ldapCAFile in /etc/pacslab/sign-on/portal.json.",
    where=SIGN_ON,
    reads=(asking,),
    sabotage=edited(SETTINGS, 's/"ldapVerify": "require"/"ldapVerify": "none"/'),
)
def test_the_directory_proves_its_name(host: Host, target: Target, expect: Expect) -> None:
    settings = answers(host, target)["settings"]
    targets = [flow.target for flow in target.site.flows_out(target.host) if flow.service == "ldaps"]
    names = [(target.site.fqdn(name), target.site.identity(name, "ldaps")) for name in targets]
    wanted = [f"ldaps://{name}/?sslserver={identity}" for name, identity in names]
    expect.equal(wanted, settings["ldapServer"].split(), "directories")
    expect.equal(
        ("require", "/etc/pacslab/tls/ca.crt"), (settings["ldapVerify"], settings["ldapCAFile"]), "verified by"
    )


@promise(
    "hardening.sign-on.second-factor",
    "Nobody gets in by a password alone, and nobody enrols or removes a second factor at the portal.",
    remedy="`pacslab up --again`; see the setting in /etc/pacslab/sign-on/portal.json.",
    where=PORTAL,
    each=lambda _: named(PROVEN),
    reads=(asking,),
    sabotage=edited(SETTINGS, "s/Pacslab::SignOn //", on=lambda target: target.value == "customPlugins"),
)
def test_the_second_factor_is_required(host: Host, target: Target, subject: str, expect: Expect) -> None:
    value = str(answers(host, target)["settings"].get(subject))
    pattern = PROVEN[subject]
    found = pattern.search(value) if pattern.pattern.startswith(r"\b") else pattern.fullmatch(value)
    expect.that(found is not None, f"{subject} as {pattern.pattern!r}", repr(value))


@promise(
    "hardening.sign-on.sessions",
    "A session ends a quarter of an hour after it was used last, and within half a day in any case.",
    remedy="sign_on_idle_seconds and sign_on_session_seconds in the site's group_vars; then `pacslab up`.",
    where=PORTAL,
    reads=(asking,),
    sabotage=edited(SETTINGS, r's/"timeoutActivity": [0-9]*/"timeoutActivity": 0/'),
)
def test_sessions_end(host: Host, target: Target, expect: Expect) -> None:
    settings = answers(host, target)["settings"]
    for name, most in (("timeoutActivity", IDLE), ("timeout", LONGEST)):
        expect.that(0 < settings[name] <= most, f"{name} of 1 to {most} s", f"{settings[name]} s")
    expect.equal(0, settings["stayConnected"], "sessions that outlast the browser")


@promise(
    "hardening.sign-on.cookies",
    "A session's cookie goes to this host alone, over TLS, is hidden from scripts, and does not come with other sites' "
    "requests (RFC 6265bis 4.1.3).",
    remedy="`pacslab up --again`; cookieName, securedCookie, httpOnly, sameSite in /etc/pacslab/sign-on/portal.json.",
    where=PORTAL,
    reads=(asking,),
    sabotage=edited(SETTINGS, 's/"httpOnly": 1/"httpOnly": 0/'),
)
def test_cookies_are_kept_to_the_host(host: Host, target: Target, expect: Expect) -> None:
    found = answers(host, target)
    settings = found["settings"]
    expect.that(settings["cookieName"].startswith("__Host-"), "a name with __Host-", settings["cookieName"])
    expect.equal("", settings["domain"], "domain of the cookie")
    expect.equal((1, 1), (settings["securedCookie"], settings["httpOnly"]), "over TLS alone, and hidden from scripts")
    expect.that(settings["sameSite"] in {"Lax", "Strict"}, "same site: Lax or Strict", settings["sameSite"])
    for cookie in found["cookies"]:
        given = {part.strip().partition("=")[0].lower() for part in cookie.split(";")[1:]}
        expect.all_of(["secure", "httponly", "samesite"], given, f"of {cookie.partition('=')[0]}")


@promise(
    "hardening.sign-on.head",
    "Pages of the sign-on run their own scripts alone, stand in no frame, and are kept by no browser.",
    remedy="`pacslab up --again`; see /etc/nginx/nginx.conf and the csp settings of /etc/pacslab/sign-on/portal.json.",
    where=PORTAL,
    each=lambda _: named(HEAD),
    reads=(asking,),
    sabotage=edited(
        WEB_SERVER, "/add_header X-Frame-Options/d", unit="nginx", on=lambda target: target.value == "x-frame-options"
    ),
)
def test_browsers_are_told_what_a_page_may(host: Host, target: Target, subject: str, expect: Expect) -> None:
    value = answers(host, target)["head"].get(subject, "")
    expect.that(re.search(HEAD[subject], value) is not None, f"{subject} as {HEAD[subject]!r}", repr(value))
    if subject == "content-security-policy":
        scripts = next((part for part in value.split(";") if part.strip().startswith("script-src")), value)
        expect.that("unsafe" not in scripts and "*" not in scripts, "scripts of its own alone", scripts.strip())


@promise(
    "hardening.sign-on.pages",
    "No page is there but those of signing in: no registration, reset, test, status or administration.",
    remedy="`pacslab up --again`; the locations in /etc/nginx/nginx.conf.",
    where=PORTAL,
    reads=(asking,),
    sabotage=edited(WEB_SERVER, r"s/\^\/(2fchoice|/^\/(2fregisters|2fchoice|/", unit="nginx"),
)
def test_only_the_pages_of_signing_in_are_there(host: Host, target: Target, expect: Expect) -> None:
    found = answers(host, target)
    expect.equal(200, found["status"], "the page to sign in")
    expect.none([f"{path} ({status})" for path, status in found["pages"].items() if status != 404], "further pages")


@promise(
    "hardening.sign-on.applications",
    "Browsers are sent back to described addresses alone, letter by letter, with a code for who has the proof key.",
    remedy="`pacslab up --again`; oidcRPMetaDataOptions in /etc/pacslab/sign-on/portal.json.",
    where=SIGN_ON,
    reads=(asking,),
    sabotage=edited(SETTINGS, f"s|{PARTIES}{{}}|{PARTIES}{{{OTHER}}}|; t; s|{PARTIES}{{|&{OTHER}, |"),
)
def test_browsers_are_sent_to_described_addresses(host: Host, target: Target, expect: Expect) -> None:
    settings = answers(host, target)["settings"]
    described = {
        flow.source: [f"https://{flow.source}.{target.site.topology.domain}", "http://127.0.0.1:", "http://[::1]:"]
        for flow in target.site.flows_in(target.host)
        if flow.service == "sign-on"
    }
    parties = settings["oidcRPMetaDataOptions"]
    expect.only(described, sorted(parties), "applications")
    expect.equal("", settings["trustedDomains"], "other sites that browsers are sent to")
    expect.equal(FLOW, {name: settings.get(name) for name in FLOW}, "ways to a token")
    for name, options in sorted(parties.items()):
        option = {key.removeprefix("oidcRPMetaDataOptions"): value for key, value in options.items()}
        uris = f"{option['RedirectUris']} {option.get('PostLogoutRedirectUris', '')}".split()
        expect.that(bool(option["RedirectUris"].split()), f"an address of {name}", "none")
        foreign = [uri for uri in uris if "*" in uri or not uri.startswith(tuple(described[name]))]
        expect.none(foreign, f"addresses of {name} on other hosts")
        least = min(settings["totp2fAuthnLevel"], settings["webauthn2fAuthnLevel"])
        expect.equal(1, option["RequirePKCE"], f"proof keys of {name}")
        expect.that(option["AuthnLevel"] >= least, f"level {least} for {name}", f"level {option['AuthnLevel']}")


@promise(
    "hardening.sign-on.guessing",
    "After a few failed attempts a person waits, longer each time; one address may not try without end (AC-7).",
    remedy="`pacslab up --again`; bruteForceProtection in /etc/pacslab/sign-on/portal.json, limit_req in nginx.conf.",
    where=PORTAL,
    reads=(asking, f"cat {WEB_SERVER}"),
    sabotage=edited(SETTINGS, 's/ Pacslab::Delay"/"/'),
)
def test_who_guesses_waits(host: Host, target: Target, expect: Expect) -> None:
    settings = answers(host, target)["settings"]
    expect.all_of(["Pacslab::Delay"], settings["customPlugins"].split(), "plugins")
    expect.equal(1, settings["bruteForceProtectionIncrementalTempo"], "longer waits")
    attempts = settings["bruteForceProtectionMaxFailed"]
    expect.that(0 < attempts <= 5, "1 to 5 attempts", f"{attempts} attempts")
    delays = [int(delay) for delay in settings["bruteForceProtectionLockTimes"].split(",")]
    expect.that(delays == sorted(delays) and delays[-1] >= 60, "waits up to a minute or more", str(delays))
    text = str(host.check_output(f"cat {WEB_SERVER}"))
    (rate,) = re.findall(r"zone=attempts:\S+ rate=(\d+)r/m", text) or ["0"]
    limited = 0 < int(rate) <= 120 and "limit_req zone=attempts" in text
    expect.that(limited, "1 to 120 attempts of an address in a minute", f"{rate} attempts in a minute")


@promise(
    "hardening.sign-on.record",
    "A sign-in that is refused is on record, with the name that was given and the address that it came from.",
    remedy="`pacslab status`; see `journalctl -u pacslab-sign-on` and the plugins in /etc/pacslab/sign-on/portal.json.",
    where=PORTAL,
    reads=(asking,),
    sabotage=edited(SETTINGS, "s/Pacslab::SignOn //"),
)
def test_a_refused_sign_in_is_on_record(host: Host, target: Target, expect: Expect) -> None:
    line = answers(host, target)["recorded"]
    event = json.loads(line) if line else {}
    found = {key: event.get(key) for key in ("action", "outcome", "reason", "peer")}
    wanted = {"action": "sign-in", "outcome": "refused", "reason": "unknown-account"}
    expect.equal({**wanted, "peer": found["peer"]}, found, "event")
    expect.that(bool(found["peer"]) and bool(event.get("person")), "who tried, from where", line)


@promise(
    "hardening.sign-on.partners",
    "Somebody of a partner is believed by the partner's own signature alone, here, now, once; what the person is, the "
    "description says.",
    remedy="`pacslab up --again`; samlIDPMetaData and pacslabPartners in /etc/pacslab/sign-on/portal.json.",
    where=lambda target: SIGN_ON(target) and bool(target.site.topology.partners),
    reads=(asking,),
    sabotage=edited(SETTINGS, 's/CheckSSOMessageSignature": 1/CheckSSOMessageSignature": 0/'),
)
def test_a_partners_people_are_believed_by_its_signature(host: Host, target: Target, expect: Expect) -> None:
    settings, partners = answers(host, target)["settings"], target.site.topology.partners
    expect.all_of(["Pacslab::Partner"], settings["customPlugins"].split(), "plugins")
    trusted = sorted(name for name, partner in partners.items() if partner.trusted)
    for part in ("XML", "Options", "ExportedAttributes"):
        expect.equal(trusted, sorted(settings[f"samlIDPMetaData{part}"]), f"partners with {part}")
    for name in trusted:
        options = settings["samlIDPMetaDataOptions"][name]
        found = {key: options.get(f"samlIDPMetaDataOptions{key}") for key in STATEMENT}
        expect.equal(STATEMENT, found, f"statements of {name}")
        metadata = settings["samlIDPMetaDataXML"][name]["samlIDPMetaDataXML"]
        expect.equal(1, metadata.count("<KeyDescriptor"), f"keys of {name}")
    roles = {name: partner.role for name, partner in partners.items()}
    expect.equal(roles, {name: entry["role"] for name, entry in settings["pacslabPartners"].items()}, "roles")
    expect.only(set(roles.values()), sorted(settings["groups"]), "roles that follow from a partner")


@promise(
    "hardening.sign-on.apart",
    "A partner's sign-on is a partner's: its certificate is of a CA of its own, and it has nothing of the site's PKI "
    "or directory.",
    remedy="`pacslab up --again`; what of the site's is there, goes: /etc/pacslab/tls, and accounts in portal.json.",
    where=HOME,
    reads=(asking,),
    sabotage=Sabotage(
        lambda _: "mkdir -p /etc/pacslab/tls && : >/etc/pacslab/tls/ca.crt", lambda _: "rm -r /etc/pacslab/tls"
    ),
)
def test_a_partner_has_nothing_of_the_sites(host: Host, target: Target, expect: Expect) -> None:
    settings = answers(host, target)["settings"]
    expect.none([path for path in ("/etc/pacslab/tls", "/etc/krb5.keytab") if host.file(path).exists], "of the site's")
    expect.none([name for name in settings if name.startswith("ldap") or name == "managerDn"], "ways to the directory")
    own, authority = (x509.load_pem_x509_certificate(host.file(path).content) for path in (OWN, OWN_CA))
    expect.equal(authority.subject, own.issuer, "who has signed its certificate")
    own.verify_directly_issued_by(authority)
    site = f"{target.site.name} issuing CA"
    expect.that(site not in own.issuer.rfc4514_string(), "a CA of its own", own.issuer.rfc4514_string())
