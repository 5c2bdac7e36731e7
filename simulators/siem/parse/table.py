"""Which module reads the lines of which program, and what the actions mean that are no event of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.audit.local_accounts import PROGRAMS
from simulators.audit.told import CONFIGURING, OF_OTHERS
from simulators.siem.parse import (
    accounts,
    ansible,
    apache,
    chrony,
    haproxy,
    journald,
    nginx,
    orthanc,
    portal,
    postgresql,
    rsyslog,
    samba,
    ssh,
    sudo,
    suricata,
    systemd,
    ulogd,
)
from simulators.siem.parse.reading import LONGEST, cut

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.siem.parse.reading import Line, Read, Reader

READERS: Mapping[str, Reader] = {
    "sshd-session": ssh.read,
    "sshd-auth": ssh.read,
    "sshd": ssh.read,
    "sudo": sudo.read,
    "su": sudo.read_su,
    **dict.fromkeys(PROGRAMS, accounts.read),
    "systemd": systemd.read,
    "systemd-journald": journald.read,
    "rsyslogd": rsyslog.read,
    "ulogd": ulogd.read,
    "chronyd": chrony.read,
    "haproxy": haproxy.read,
    "nginx": nginx.read,
    "apache2": apache.read,
    "Orthanc": orthanc.read,
    "sign-on-portal": portal.read,
    "postgres": postgresql.read,
    "postgresql": postgresql.read,
    "samba": samba.read,
    "suricata": suricata.read,
    CONFIGURING: ansible.read,
}
"""By the program's name as the collector has it; of ``postgresql@17-main`` what stands before the instance."""

WORDS: Mapping[str, str] = {
    **OF_OTHERS,
    ssh.JUDGE_KEY: "sshd refuses a key or a certificate, as `state` says: revoked, expired, without a principal",
    ssh.SESSION: "somebody who came in by SSH begins a shell, a command or file transfer, as `verb` says",
    systemd.RESTART: "systemd starts a service that had ended, for the time that `attempts` says",
    journald.KEEP: "the host's journal begins, ends, or is damaged, as `state` says",
    journald.DROP: "lines or packets to be logged are left out since there are too many; `left` says how many",
    rsyslog.FORWARD: "a host's lines reach the collector again, or do not",
    chrony.CLOCK: "the host's clock was wrong, was set, jumped, or has nobody to follow, as `state` says",
    chrony.ASK: "the host follows a time server, or gets no answer of it",
    haproxy.LISTEN: "an edge takes connections, or no longer, as `state` says",
    haproxy.REACH: "what stands behind an edge answers, or does not",
    haproxy.FAULT: "an edge's program ended by a fault, or refuses its configuration",
    nginx.FAULT: "a web server could not do what it was asked",
    orthanc.FAULT: "a program reports a fault; `trace` says where in it",
    postgresql.OPEN: "a client of the database is let in",
    postgresql.CLOSE: "a client of the database leaves, or is made to",
    postgresql.CHANGE: "a statement that changes what the database is (DDL); `verb` has its first words",
    postgresql.USE: "a statement that the client has no right to",
    postgresql.FAULT: "the database reports a fault",
    "configure-database": "a setting of the database is changed; `item` names it",
    "stop": "a program ends",
    suricata.ALERT: "a rule of the intrusion detection found something",
    suricata.FLOW: "the intrusion detection saw a connection, which has ended",
    suricata.TLS: "the intrusion detection saw a TLS handshake",
    suricata.ODD: "the intrusion detection saw what a protocol does not allow",
    suricata.DROPS: "the intrusion detection was too slow for packets",
}
"""Actions of lines that are no event of docs/events.md, with what they mean."""


def read(line: Line) -> Read | None:
    """Return what a line says, ``None`` where that is nothing that is known.

    >>> from simulators.siem.parse.reading import Line
    >>> read(Line("chronyd", "42", "Forward time jump detected!")).action
    'clock'
    """
    reader = READERS.get(line.program)
    if reader is None:
        name, instance, _ = line.program.partition("@")
        reader = READERS.get(name) if instance else None
    found = reader(line) if reader is not None else None
    if found is not None:
        for key, value in found.facts.items():
            if isinstance(value, str) and (len(value) > LONGEST or not value.isprintable()):
                found.facts[key] = cut(value)
    return found
