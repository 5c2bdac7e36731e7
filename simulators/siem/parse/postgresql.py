"""PostgreSQL (15 to 17) with ``log_line_prefix`` of roles/postgresql: who was let in, who was not, what was changed.

User, database and application names are text of whoever connects. A line in which they could be mistaken for the rest
of it is read as an attempt to forge one. Statements are kept by their first words alone, errors by their kind.
"""

from __future__ import annotations

import re

from simulators.audit.told import FORGE_EVENT
from simulators.siem.parse.reading import Line, Read, cut, port, told

DATASET = "postgresql.log"
OPEN, CLOSE, CHANGE, USE, FAULT = (
    "open-database-session", "close-database-session", "change-database", "use-database", "database-fault",
)  # fmt: skip

_LEVELS = "LOG|FATAL|ERROR|PANIC|WARNING|NOTICE|INFO|DETAIL|HINT|STATEMENT|CONTEXT"
_MARK = re.compile(rf" client=(?P<peer>\S{{0,64}}) (?P<level>{_LEVELS}):  ")
_TLS = re.compile(r" SSL enabled \(protocol=(?P<tls>[\w.]{1,20}), cipher=(?P<suite>[\w-]{1,60}), bits=\d{1,4}\)$")
_SHOWN = re.compile(
    r'connection authenticated: identity="(?P<identity>[^"\n]{1,300})" method=(?P<method>[a-z-]{1,20}) \('
)
_NAME, _UNIT = re.compile(r"(?:^|,)CN=([\w.-]{1,120})(?=,|$)"), re.compile(r"(?:^|,)OU=([\w.-]{1,64})(?=,|$)")
_ENDED = re.compile(
    r"disconnection: session time: (?P<hours>\d{1,6}):(?P<minutes>\d\d):(?P<seconds>\d\d)\.(?P<part>\d{3}) "
)
_WORDS = re.compile(r"\s*([A-Za-z]{2,20})(?:\s+([A-Za-z]{2,20}))?")
_SET = re.compile(r'parameter "(?P<item>[\w.]{1,64})" (?:changed to|removed from)')

ASKS = ("root", "root", "[local]")
"""User, database and address of the health probe (pg_isready): refused, and so it knows that the server answers."""
_REFUSED = (
    ("no pg_hba.conf entry for ", "unlisted"), ("pg_hba.conf rejects ", "unlisted"),
    ("certificate authentication failed for ", "certificate-refused"),
    ("connection requires a valid client certificate", "no-certificate"),
    ("password authentication failed for ", "wrong-password"), ("SCRAM authentication failed for ", "wrong-password"),
    ("peer authentication failed for ", "not-permitted"), ("Peer authentication failed for ", "not-permitted"),
    ("role ", "unknown-account"), ("database ", "no-resource"),
    ("too many connections for ", "too-many-connections"), ("sorry, too many clients", "too-many-connections"),
    ("remaining connection slots are reserved", "too-many-connections"),
    ("unsupported frontend protocol", "malformed"), ("invalid length of startup packet", "malformed"),
    ("permission denied for database", "not-permitted"),
)  # fmt: skip
"""How a refusal to let somebody in begins (libpq/auth.c, utils/init), and why it is one."""
_ENDS = ("the database system is ", "terminating connection due to ", "canceling authentication due to ")
_LIFE = {
    "database system is ready to accept connections": "start",
    "database system is shut down": "stop",
}


def read(line: Line) -> Read | None:
    """Read a line of PostgreSQL."""
    message = line.message
    if not message.startswith("user="):
        return None
    marks = list(_MARK.finditer(message))
    if not marks:
        return None
    mark = marks[0]
    user, database, application = _head(message[: mark.start()])
    if len(marks) > 1 or user is None:
        return Read(FORGE_EVENT, "refused", told(peer=_peer(marks[-1]["peer"]), reason="malformed"), DATASET)
    if (user, database, mark["peer"]) == ASKS and mark["level"] == "FATAL":
        return None
    facts = told(user=_known(user), peer=_peer(mark["peer"]))
    fields = told(**{"pacslab.database": _known(database), "pacslab.client": _known(application)})
    found = _BY_LEVEL[mark["level"]](message[mark.end() :], facts) if mark["level"] in _BY_LEVEL else None
    return found and Read(*found[:3], DATASET, {**fields, **found.fields})


def _head(text: str) -> tuple[str | None, str, str]:
    """User, database and application of the prefix; no user where they cannot be told apart."""
    user, between, rest = text[len("user=") :].partition(" db=")
    database, also, application = rest.partition(" app=")
    if not between or not also or " db=" in rest or " app=" in application:
        return None, "", ""
    return user, database, application


def _known(text: str) -> str:
    return "" if text == "[unknown]" else cut(text)


def _peer(text: str) -> str:
    return "" if text == "[local]" else text


def _log(text: str, facts: dict[str, object]) -> Read | None:
    if text.startswith("connection authorized: "):
        over = _TLS.search(text[-200:])
        return Read(OPEN, "success", {**facts, **(over.groupdict() if over else {})}, DATASET)
    if found := _SHOWN.match(text):
        name, unit = _NAME.search(found["identity"]), _UNIT.search(found["identity"])
        shown = told(certificate=name[1] if name else "", profile=unit[1] if unit else "", verb=found["method"])
        return Read("sign-in", "success", {**facts, **shown, "service": "postgresql"}, DATASET)
    if text.startswith("statement:"):
        words = _WORDS.match(text[len("statement:") :])
        verb = " ".join(word.upper() for word in words.groups() if word) if words else ""
        return Read(CHANGE, "success", {**facts, **told(verb=verb)}, DATASET)
    if found := _ENDED.match(text):
        return _ended(found, text, facts)
    return _of_server(text, facts)


def _ended(found: re.Match[str], text: str, facts: dict[str, object]) -> Read:
    seconds = int(found["hours"]) * 3600 + int(found["minutes"]) * 60 + int(found["seconds"])
    came = port(text.rpartition(" port=")[2])
    facts |= told(milliseconds=seconds * 1000 + int(found["part"]), source_port=came)
    return Read(CLOSE, "success", facts, DATASET)


def _of_server(text: str, facts: dict[str, object]) -> Read | None:
    if action := _LIFE.get(text):
        return Read(action, "success", facts, DATASET)
    if found := _SET.match(text):
        return Read("configure-database", "success", {**facts, "item": found["item"]}, DATASET)
    return None


def _fatal(text: str, facts: dict[str, object]) -> Read | None:
    for beginning, reason in _REFUSED:
        if text.startswith(beginning):
            return Read("sign-in", "refused", {**facts, "reason": reason, "service": "postgresql"}, DATASET)
    if text.startswith(_ENDS):
        return Read(CLOSE, "failed", {**facts, "reason": "broken-off"}, DATASET)
    return Read(FAULT, "failed", {**facts, "reason": "internal-error"}, DATASET)


def _error(text: str, facts: dict[str, object]) -> Read | None:
    if text.startswith(("permission denied for ", "must be owner of ", "must be superuser")):
        return Read(USE, "refused", {**facts, "reason": "insufficient-rights"}, DATASET)
    return None


def _panic(_text: str, facts: dict[str, object]) -> Read:
    return Read(FAULT, "failed", {**facts, "reason": "internal-error"}, DATASET)


_BY_LEVEL = {"LOG": _log, "FATAL": _fatal, "ERROR": _error, "PANIC": _panic}
