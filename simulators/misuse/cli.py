"""``pacslab-misuse``: one attempt that a hardened lab must refuse, from this host; prints what came of it."""

from __future__ import annotations

import pwd
from pathlib import Path
from typing import TYPE_CHECKING

from simulators.command_line import Result, Verb, run
from simulators.errors import NotReadyError
from simulators.misuse.outcome import outcome
from simulators.misuse.registry import cases

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from simulators.misuse.outcome import Outcome
    from simulators.settings import Settings

DESCRIPTION = "Makes one attempt that a hardened lab must refuse, and says what came of it."
USERS = ("modality", "workstation", "ehr", "ris", "image-manager")
"""Whose certificates a host can hold: the command becomes the first of them that there is."""


def main(argv: Sequence[str]) -> int:
    """Run one case; exit code 0 when the attempt was made, refused or not, and 3 when there was no connection."""
    verbs = [
        Verb(
            name=case.name,
            summary=case.summary,
            run="simulators.misuse.cli:attempt",
            example=f"{case.name} {case.example}".strip(),
            arguments=_arguments,
        )
        for case in cases(argv[0] if argv else "").values()
    ]
    return run("pacslab-misuse", DESCRIPTION, _user(), verbs, argv)


def _user() -> str:
    present = {entry.pw_name for entry in pwd.getpwall()}
    return next((user for user in USERS if user in present), USERS[0])


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--control", action="store_true", help="DICOM: afterwards C-ECHO as permitted, and tell")
    parser.add_argument("--peer", metavar="HOST", help="whom to ask (default: the first whom this host may)")
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="certificate to present (PEM)")
    parser.add_argument("--key", type=Path, metavar="FILE", help="its key (PEM)")
    parser.add_argument("--ae-title", metavar="TITLE", help="an AE title that is not this host's")
    parser.add_argument(
        "--instance", metavar="UID", help="SOP instance or study that the case is about, or that it makes"
    )
    parser.add_argument("--study", metavar="UID", help="study that the patient really has")
    parser.add_argument("--accession", metavar="NUMBER", help="its accession number")
    parser.add_argument("--sender", metavar="NAME", help="sending application (MSH-3) to claim")
    parser.add_argument("--event", metavar="TYPE", default="ADT^A04", help="HL7 message type (default: ADT^A04)")
    parser.add_argument("--patient", metavar="ID", help="patient whom nobody knows (default: a new one)")
    parser.add_argument("--prior", metavar="ID", help="patient whom a merge (ADT^A40) is to make disappear")
    parser.add_argument("--number", type=int, default=6000, metavar="N", help="how many requests (default: 6000)")
    parser.add_argument("--text", default="attempt", help="syslog: what the line says (default: attempt)")


def attempt(arguments: argparse.Namespace, settings: Settings) -> Result:
    """Make the attempt that the verb names."""
    case = cases(arguments.verb)[arguments.verb]
    if not settings.host.roles:
        raise NotReadyError(f"{settings.host.name} has no role", remedy="Run the case on one of the hospital's hosts.")
    peer = case.peer(arguments, settings).name
    made = outcome(case.name, peer, lambda: case.attempt(arguments, settings))
    data, text = made.as_dict(), _line(made)
    control = case.control
    if arguments.control and control is not None:
        after = outcome("control", peer, lambda: control(arguments, settings))
        data["control"] = after.as_dict()
        text += f"\n{_line(after)}"
    return Result(data, text)


def _line(made: Outcome) -> str:
    return f"{made.case} at {made.peer}: {'refused' if made.refused else 'let through'} ({made.detail})"
