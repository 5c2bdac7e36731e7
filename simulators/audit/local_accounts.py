"""What useradd, usermod, groupadd, gpasswd, userdel and passwd (shadow 4.17) say when they change a host's accounts."""

from __future__ import annotations

import re

PROGRAMS = (
    "useradd", "usermod", "userdel", "groupadd", "groupmod", "groupdel", "gpasswd", "passwd", "chpasswd",
)  # fmt: skip

_NAME = r"'?(?P<account>[A-Za-z0-9_.-]{1,64})'?"
_GROUP = r"'?(?P<group>[A-Za-z0-9_.-]{1,64})'?"
_FORMS = (
    ("add", re.compile(rf"new user: name={_NAME},")),
    ("add", re.compile(rf"new group: name={_GROUP},")),
    ("remove", re.compile(rf"delete user {_NAME}")),
    ("remove", re.compile(rf"group {_GROUP} removed")),
    ("join", re.compile(rf"add {_NAME} to (?:shadow )?group {_GROUP}")),
    ("join", re.compile(rf"user {_NAME} added by \S{{1,64}} to group {_GROUP}")),
    ("leave", re.compile(rf"(?:delete|removed) {_NAME} from (?:shadow )?group {_GROUP}")),
    ("leave", re.compile(rf"user {_NAME} removed by \S{{1,64}} from group {_GROUP}")),
    ("password", re.compile(rf"(?:pam_unix\([a-z:]{{1,40}}\): )?password changed for {_NAME}")),
    ("password", re.compile(rf"change user {_NAME} password")),
    ("disable", re.compile(rf"lock user {_NAME} password")),
    ("enable", re.compile(rf"unlock user {_NAME} password")),
    ("update", re.compile(rf"change user {_NAME} ")),
)
"""What changed, in the words of `change` (docs/events.md), by how the line begins."""


def change_of(message: str) -> dict[str, str] | None:
    """Return what a line says, as facts: ``change``, and the ``account`` and ``group`` that it is about.

    >>> change_of("add 'eve' to group 'sudo'")
    {'change': 'join', 'account': 'eve', 'group': 'sudo'}
    """
    for change, form in _FORMS:
        if found := form.match(message):
            return {"change": change, **found.groupdict()}
    return None
