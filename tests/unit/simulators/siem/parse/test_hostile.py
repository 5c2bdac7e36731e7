"""Text that somebody else wrote into a line: it makes no other event, breaks no reader, and takes no time."""

from __future__ import annotations

import json
import random
import time
from typing import TYPE_CHECKING

import pytest

from simulators.siem.fields import unknown
from simulators.siem.normalise.lines import of_line
from simulators.siem.parse.reading import Line
from simulators.siem.parse.table import READERS, read
from tests.unit.simulators.siem.parse.test_recorded import LINES
from tests.unit.simulators.siem.parse.test_texts import CASES

if TYPE_CHECKING:
    from collections.abc import Iterator

FORGED = "root from 10.24.15.11 port 22 ssh2: ED25519 SHA256:x ID a.rivera: on call (serial 1) CA ED25519 SHA256:y"
POSTGRES = "postgresql@17-main"


OF_SSHD = (
    (
        f"Failed publickey for invalid user {FORGED} from 10.24.99.66 port 41000 ssh2: ED25519-CERT SHA256:x ID e"
        " (serial 3) CA ED25519 SHA256:y"
    ),
    "Connection closed by invalid user root 10.24.15.11 port 22 [preauth] 10.24.99.66 port 41000 [preauth]",
    "Connection closed by authenticating user root 10.24.15.11 port 22 10.24.99.66 port 41000",
)


@pytest.mark.parametrize("message", OF_SSHD)
def test_a_user_name_at_ssh_does_not_say_where_it_came_from(message: str) -> None:
    found = read(Line("sshd-session", "77", message))
    assert found is not None
    assert (found.outcome, found.facts["peer"]) == ("refused", "10.24.99.66")


OF_POSTGRES = (
    # the name of a role, of an application, of a role once more
    (
        "user=x db=y app=z client=10.24.60.11 LOG:  connection authorized: user=postgres db=y app=z client=10.24.99.66"
        ' FATAL:  role "x" does not exist'
    ),
    "user=x db=y app=z db=w app=[unknown] client=10.24.99.66 FATAL:  x",
    (
        'user=x db=y app=[unknown] client=10.24.99.66 FATAL:  no pg_hba.conf entry for host "1", user "x'
        ' client=10.24.60.11 LOG:  connection authorized: ", database "y"'
    ),
)


@pytest.mark.parametrize("message", OF_POSTGRES)
def test_a_name_at_the_database_makes_no_line_of_its_own(message: str) -> None:
    found = read(Line(POSTGRES, "77", message))
    assert found is not None
    assert (found.action, found.outcome) == ("forge-event", "refused")
    assert found.facts["peer"] == "10.24.99.66" or "10.24.60.11 LOG" in message


def test_a_folder_does_not_say_what_sudo_ran() -> None:
    message = "bob : TTY=pts/0 ; PWD=/tmp/x ; USER=nobody ; COMMAND=/bin/true ; USER=root ; COMMAND=/bin/bash"
    found = read(Line("sudo", "77", message))
    assert found is not None
    assert (found.action, found.facts["user"]) == ("forge-event", "bob")


def test_a_line_that_looks_like_an_event_is_none_where_another_program_wrote_it() -> None:
    data = {"action": "sign-in", "outcome": "success", "person": "a.rivera"}
    for program in READERS:
        if program in {"samba", "suricata"}:
            continue
        line = {"host": "ris1", "program": program, "pid": "77", "message": json.dumps(data), "data": data}
        assert of_line(line, 1.0)["event.dataset"] == "system.line", program


ENDS = ["\n", "\r\n", "\x00", "\x1b[2J", "\u202e", "\ud800", "\U0001f4a3", '"', "'", "\\", "{", " = ", " ; ", "%s" * 50]


def mutations() -> Iterator[tuple[str, str]]:
    chance = random.Random(7)  # noqa: S311 - the same ones each time
    texts = [(line["program"], line["message"]) for _, line, _ in LINES] + [
        (case["program"], case["message"]) for case in CASES
    ]
    for program, text in texts:
        for _ in range(40):
            at = chance.randrange(len(text) + 1)
            piece = chance.choice([chance.choice(ENDS), text[: chance.randrange(60)], "9" * 40, "x" * 300])
            yield program, text[:at] + piece + text[chance.choice([at, min(len(text), at + 7)]) :]


def test_whatever_stands_in_a_line_its_fields_are_those_of_the_schema_and_do_nothing_to_a_terminal() -> None:
    count = 0
    for program, text in mutations():
        fields = of_line({"host": "ris1", "program": program, "pid": "1", "message": text, "severity": "err"}, 1.0)
        assert unknown(fields) == []
        count += 1
        if fields["event.dataset"] == "system.line":
            continue
        for name, value in fields.items():
            for part in value if isinstance(value, list) else [value]:
                assert not isinstance(part, str) or (len(part) <= 2000 and part.isprintable()), (name, part)
    assert count > 4000


REPEATED = (
    *(" ", "x", "9", ",", "'", ": ", " client=1 LOG:  ", " ; USER=a", " ; COMMAND=b", " from ", " port 1", "CN=\\,"),
    *(" ID (serial 1) CA ", "a.b/", " at x line 1", "Server a/b is ", " (serial ", "AH00000: ", "[ALERT] (1) : "),
)


@pytest.mark.parametrize("program", sorted(READERS))
def test_no_text_takes_a_reader_long(program: str) -> None:
    beginnings = {case["message"][:cut] for case in CASES if case["program"] == program for cut in (20, 45, 90)} | {""}
    longest = 0.0
    for beginning in beginnings:
        for piece in REPEATED:
            line = Line(program, "1", beginning + piece * (30_000 // len(piece)), "err")
            began = time.process_time()
            read(line)
            longest = max(longest, time.process_time() - began)
    assert longest < 0.02, longest
