"""Samba's JSON audit (4.22): sign-ins and changes at the directory, in the words of the directory's own events."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from simulators.siem.parse.reading import Line, Read, cut, port, told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DATASET = "samba.audit"

REASONS = {
    "NT_STATUS_WRONG_PASSWORD": "wrong-password", "NT_STATUS_NO_SUCH_USER": "unknown-account",
    "NT_STATUS_ACCOUNT_LOCKED_OUT": "account-locked", "NT_STATUS_ACCOUNT_DISABLED": "account-disabled",
    "NT_STATUS_PASSWORD_EXPIRED": "password-expired", "NT_STATUS_PASSWORD_MUST_CHANGE": "password-expired",
}  # fmt: skip
"""Why a sign-in is refused (MS-ERREF 2.3.1); every other status is ``account-restricted``."""
SERVICES = {"LDAP": "ldaps", "Kerberos KDC": "kerberos"}
_COUNTED = frozenset({"badPwdCount", "badPasswordTime", "lastLogon", "lastLogonTimestamp", "logonCount"})
"""What the directory notes of each sign-in, which is told already."""
_NAME = re.compile(r"CN=((?:[^,\\]|\\.){1,200})")
_FEW = 20
"""Attributes whose names are kept."""


def read(line: Line) -> Read | None:
    """Read a record of Samba's audit."""
    kind = line.data.get("type") if line.data is not None else None
    facts = line.data.get(kind) if line.data is not None and isinstance(kind, str) else None
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None or not isinstance(facts, dict):
        return None
    found = reader(facts)
    if found is None:
        return None
    action, outcome, known = found
    address, _, came = str(facts.get("remoteAddress") or "").partition(":")[2].rpartition(":")
    return Read(action, outcome, told(**known, peer=cut(address), source_port=port(came)), DATASET)


_Found = tuple[str, str, dict[str, Any]]


def _sign_in(facts: Mapping[str, Any]) -> _Found:
    status, service = str(facts.get("status")), str(facts.get("serviceDescription"))
    account = facts.get("mappedAccount") or facts.get("becameAccount") or facts.get("clientAccount")
    known = {"person": cut(account), "service": SERVICES.get(service, cut(service)), "sid": _text(facts, "becameSid")}
    if status == "NT_STATUS_OK":
        return "sign-in", "success", known
    return "sign-in", "refused", {**known, "status": cut(status), "reason": REASONS.get(status, "account-restricted")}


def _change(facts: Mapping[str, Any]) -> _Found | None:
    attributes = facts.get("attributes")
    names = sorted(attributes) if isinstance(attributes, dict) else []
    if names and _COUNTED.issuperset(names):
        return None
    change = cut(facts.get("operation")).lower()
    known = {"change": change, "attributes": [cut(name) for name in names[:_FEW]]}
    return _changed("change-account", facts, {"account": _name(facts.get("dn")), **known})


def _password(facts: Mapping[str, Any]) -> _Found:
    return _changed("change-account", facts, {"account": _name(facts.get("dn")), "change": "password"})


def _membership(facts: Mapping[str, Any]) -> _Found:
    change = "join" if facts.get("action") == "Added" else "leave"
    known = {"account": _name(facts.get("user")), "group": _name(facts.get("group")), "change": change}
    return _changed("change-account", facts, known)


def _changed(action: str, facts: Mapping[str, Any], known: dict[str, Any]) -> _Found:
    known["sid"] = _text(facts, "userSid")
    if facts.get("statusCode") == 0:
        return action, "success", known
    return action, "refused", {**known, "reason": "insufficient-rights", "status": _text(facts, "status")}


def _text(facts: Mapping[str, Any], key: str) -> str:
    value = facts.get(key)
    return "" if value is None else cut(value)


def _name(dn: object) -> str:
    """The name that a distinguished name begins with (RFC 4514); all of it where that is none."""
    text = str(dn)[:1000]
    found = _NAME.match(text)
    return cut(re.sub(r"\\(.)", r"\1", found[1]) if found else text)


_READERS: dict[str, Callable[[Mapping[str, Any]], _Found | None]] = {
    "Authentication": _sign_in,
    "dsdbChange": _change,
    "passwordChange": _password,
    "groupChange": _membership,
}
