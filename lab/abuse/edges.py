"""How controls of a TLS edge (HAProxy) are switched off: rules taken out of its configuration, one by one."""

from __future__ import annotations

import re
from functools import partial

from lab.abuse.weakening import Edit, EditedFiles

DICOM = "/etc/haproxy/conf.d/20-dicom.cfg"
HL7 = "/etc/haproxy/conf.d/30-hl7.cfg"
SYSLOG = "/etc/haproxy/conf.d/40-syslog.cfg"
NAMED = ("wrong-profile", "unlisted", "address-mismatch")
"""Reasons that need a certificate's name: without a certificate each of them refuses."""

RELOADED = partial(
    EditedFiles,
    effect=("python3", "-I", "-"),
    program="reload_edge.py",
    check=("haproxy", "-c", "-q", "-f", "/etc/haproxy/haproxy.cfg", "-f", "/etc/haproxy/conf.d"),
)
"""Edits of an edge's configuration, which it reads again."""


def without(path: str, *reasons: str) -> tuple[Edit, ...]:
    """Take out the rules that refuse for these reasons."""
    return tuple(
        Edit(path, rf"^ *tcp-request content set-var\(txn\.reason\) str\({re.escape(reason)}\) .*\n", "")
        for reason in reasons
    )


def bind(path: str, old: str, new: str) -> Edit:
    """Change what the edge's listener demands of a caller."""
    return Edit(path, rf"^( *bind :.*?){re.escape(old)}", rf"\g<1>{new}")
