"""Administrators sign in before they come to a host: both factors at the sign-on, from where they come from.

The command on that host speaks with the sign-on, over the lab's network. Its word is not enough: the ID token that the
sign-on signs has a word of this very call, and is verified here with the key that the sign-on's own host states.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from lab.errors import PacslabError, UnhealthyError, UsageError
from lab.trust.id_token import verify

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.engine.lab import Lab
    from lab.topology.site import ResolvedFlow, Site

T = TypeVar("T")
COMMAND = "pacslab-administration"
PLACE = "hosts"
"""Where ``lab/access/policy.yml`` has what administrators decide about."""
CA = "/etc/pacslab/tls/ca.crt"
REFUSED, WRONG = 1, 2
"""Exit codes of the command (simulators/command_line.py)."""
WITHIN = 60.0
BREAK_GLASS = "In an emergency: 'pacslab ssh HOST --break-glass REASON'."


class NotLetInError(PacslabError):
    """A person does not come to a host: a factor was wrong, the account is closed, or no role lets the person."""

    exit_code = 1


class _Discovery(TypedDict):
    """What a sign-on states of itself, as far as it is read (OpenID Connect Discovery 1.0, 3)."""

    jwks_uri: str


@dataclass(frozen=True)
class Factors:
    """What somebody shows.

    Attributes:
        person: the name at sign-on.
        password: the first factor.
        code: the one-time password.
    """

    person: str
    password: str = field(repr=False)
    code: str = field(repr=False)


def sign_on_of(site: Site, source: str) -> ResolvedFlow | None:
    """The flow by which administrators sign in where they come from; None where they do not."""
    asked = site.asks(source)
    places = {service for service, words in asked.items() if PLACE in words.get("place", [])}
    return next((flow for flow in site.flows_out(source) if flow.service in places), None)


def require_sign_on(site: Site, source: str) -> ResolvedFlow:
    """The same.

    Raises:
        UsageError: administrators do not sign in at this site.
    """
    found = sign_on_of(site, source)
    if found is None:
        raise UsageError(
            f"Administrators do not sign in at site {site.name!r}.",
            remedy="Leave out --as and --break-glass: the account of this machine is who comes (docs/ssh.md).",
        )
    return found


def sign_in(lab: Lab, source: str, shown: Factors) -> None:
    """Have somebody sign in, from the host that administrators come from.

    Raises:
        UsageError: that is no name, or hosts have no account for the person.
        NotLetInError: a factor was not taken, the account is closed, or no role of the person's lets them.
        TokenError: what the sign-on states of it cannot be believed.
        UnhealthyError: the sign-on or the directory does not answer.
    """
    flow, nonce = require_sign_on(lab.site, source), secrets.token_hex(16)
    typed = f"{shown.password}\n{shown.code}\n".encode()
    told = _asked(lab, source, ["prove", shown.person, nonce], typed)
    issuer = f"https://{lab.site.fqdn(flow.target)}"
    wanted = {"iss": issuer, "aud": source, "sub": shown.person, "nonce": nonce}
    verify(str(told["id_token"]), signing_keys(lab, flow), wanted)
    if shown.person not in lab.site.administrators:
        raise UsageError(
            f"{shown.person} has the role by the directory alone: hosts have no account for the person.",
            remedy="Give the role under 'people:' of the description, and run 'pacslab up'.",
        )


def is_still_one(lab: Lab, source: str, person: str) -> str:
    """Ask the sign-on whether somebody who is signed in may still administer hosts.

    Returns:
        Why not; empty where they may, and where nobody can say so at the moment: whoever is in goes on then.
    """
    done = lab.run(source, [COMMAND, "standing", "--as", person, "--json"], timeout=WITHIN)
    return _said(done.stdout)["message"] if done.code == REFUSED else ""


def tell(lab: Lab, source: str, *words: str) -> None:
    """Have the command write an event on the host that administrators come from, and so at the collector.

    Raises:
        UnhealthyError: it did not.
    """
    _asked(lab, source, words)


def signing_keys(lab: Lab, flow: ResolvedFlow) -> dict[str, Any]:
    """The keys that the sign-on signs with, as its own host has them of itself (RFC 7517 5).

    Raises:
        UnhealthyError: it does not answer.
        EngineError: it answers in another form.
    """
    name, address = lab.site.fqdn(flow.target), lab.site.hosts[flow.target].address
    own = ["curl", "--silent", "--show-error", "--fail", "--max-time", "10", "--cacert", CA]
    own += ["--resolve", f"{name}:{flow.port}:{address}"]

    def read(url: str, kind: type[T]) -> T:
        done = lab.run(flow.target, [*own, "--", url], timeout=WITHIN)
        if done.code != 0:
            raise UnhealthyError(f"{flow.target} does not state its keys: {done.stderr.strip()}", remedy=BREAK_GLASS)
        return done.read(kind, flow.target)

    told = read(f"https://{name}/.well-known/openid-configuration", _Discovery)
    return read(told["jwks_uri"], dict[str, Any])


def _asked(lab: Lab, source: str, words: Sequence[str], typed: bytes = b"") -> dict[str, Any]:
    done = lab.run(source, [COMMAND, words[0], "--json", *words[1:]], input=typed, timeout=WITHIN)
    if done.code == 0:
        return _said(done.stdout)
    said = _said(done.stdout or "{}")
    message = str(said.get("message") or done.stderr.strip() or f"{COMMAND} on {source} ended with {done.code}")
    sentence = f"{message.rstrip('.')}."
    remedy = str(said.get("remedy") or f"Look at 'pacslab logs {source}'.")
    if done.code == REFUSED:
        raise NotLetInError(sentence, remedy=remedy)
    if done.code == WRONG:
        raise UsageError(sentence, remedy=remedy)
    raise UnhealthyError(sentence, remedy=f"{remedy} {BREAK_GLASS}")


def _said(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
