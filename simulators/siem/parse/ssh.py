"""sshd (OpenSSH 9 and 10): who came in by a certificate, who did not and why, and what was asked for."""

from __future__ import annotations

import re

from simulators.audit.told import told_by
from simulators.siem.parse.reading import Line, Read, port, told

DATASET = "system.auth"
JUDGE_KEY, SESSION = "judge-ssh-key", "ssh-session"

_SESSION = re.compile(
    r"Starting session: (?P<what>shell|command|forced-command|subsystem)[^\n]{0,200} for (?P<user>\S{1,64})"
    r" from (?P<peer>\S{1,64}) port (?P<port>\d{1,5}) id \d+"
)
_NOT_AGREED = re.compile(r"Unable to negotiate with (?P<peer>\S{1,64}) port (?P<port>\d{1,5}): no matching ")
_TOO_OFTEN = re.compile(
    r"error: maximum authentication attempts exceeded for (?:invalid user )?(?P<user>\S{1,64})"
    r" from (?P<peer>\S{1,64}) port (?P<port>\d{1,5})"
)
_KEYS = {
    "error: Authentication key ": "revoked",
    "error: Certificate does not contain an authorized principal": "principal",
    "error: Certificate invalid: expired": "expired",
    "error: Certificate invalid: not yet valid": "not-yet-valid",
    "error: Refusing ": "options",
    "userauth_pubkey: signature algorithm ": "algorithm",
}
"""Why a key or certificate is refused, by how the line begins; the refusal itself is another line."""


def read(line: Line) -> Read | None:
    """Read a line of sshd; see :mod:`simulators.audit.told` for those that become audit messages too."""
    message = line.message
    entry = {"MESSAGE": message, "SYSLOG_IDENTIFIER": line.program, "_PID": line.pid, "__REALTIME_TIMESTAMP": "0"}
    event = told_by(entry) if message[:1] in {"A", "F", "D", "C"} else None
    if event is not None:
        facts = dict(event.facts)
        if serial := facts.pop("certificate", ""):
            facts["detail"] = f"serial {serial}"
        return Read(event.action, event.outcome, facts, DATASET)
    if found := _SESSION.match(message):
        facts = told(user=found["user"], peer=found["peer"], source_port=port(found["port"]), verb=found["what"])
        return Read(SESSION, "success", facts, DATASET)
    if found := _TOO_OFTEN.match(message):
        facts = told(
            user=found["user"], peer=found["peer"], source_port=port(found["port"]), reason="too-many-attempts"
        )
        return Read("ssh-login", "refused", facts, DATASET)
    if found := _NOT_AGREED.match(message):
        facts = told(peer=found["peer"], source_port=port(found["port"]), reason="weak-ssh")
        return Read("ssh-login", "refused", facts, DATASET)
    for beginning, state in _KEYS.items():
        if message.startswith(beginning):
            return Read(JUDGE_KEY, "refused", told(reason="certificate-refused", state=state), DATASET)
    return None
