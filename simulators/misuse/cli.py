"""``pacslab-misuse``: one attempt that a hardened lab must refuse, from this host; prints what came of it."""

from __future__ import annotations

import pwd
from pathlib import Path
from typing import TYPE_CHECKING

from simulators.command_line import Verb, run
from simulators.errors import NotReadyError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from simulators.command_line import Result
    from simulators.misuse.outcome import Outcome
    from simulators.settings import Settings

DESCRIPTION = "Makes one attempt that a hardened lab must refuse, and says what came of it."
USERS = ("modality", "workstation", "ehr", "ris", "image-manager")
"""Whose certificates a host can hold: the command becomes the first of them that there is."""

_OTHER_CERTIFICATE = "--certificate /run/x.crt --key /run/x.key"

CASES: dict[str, tuple[str, str, str]] = {
    "dicom-control": ("dicom:control", "C-ECHO as permitted: shows that the service is unharmed", ""),
    "dicom-no-certificate": ("dicom:no_certificate", "C-ECHO without a client certificate", ""),
    "dicom-other-certificate": (
        "dicom:other_certificate",
        "C-ECHO with a certificate that is given: foreign, expired or revoked",
        _OTHER_CERTIFICATE,
    ),
    "dicom-old-tls": ("dicom:old_tls", "C-ECHO with TLS 1.1", ""),
    "dicom-plain": ("dicom:plain", "C-ECHO without TLS on the TLS port", ""),
    "dicom-other-title": ("dicom:other_title", "C-ECHO with another host's calling AE title", "--ae-title MR1"),
    "dicom-unknown-called": (
        "dicom:unknown_called",
        "C-ECHO to a called AE title that is not there",
        "--ae-title NOBODY",
    ),
    "dicom-find": ("dicom:find", "C-FIND where only storing is permitted", ""),
    "dicom-get": ("dicom:get", "C-GET where only storing is permitted", "--instance 1.2.3"),
    "dicom-other-worklist": ("dicom:other_worklist", "worklist of another modality", "--ae-title MR1"),
    "dicom-completed-step": ("dicom:completed_step", "N-SET on a completed procedure step", "--instance 1.2.3"),
    "dicom-garbage": ("dicom:garbage", "text instead of a PDU", ""),
    "dicom-oversized": ("dicom:oversized", "an association request of almost 4 GiB", ""),
    "dicom-broken-object": ("dicom:broken_object", "C-STORE of an object that is none", ""),
    "hl7-no-certificate": ("hl7:no_certificate", "a message without a client certificate", ""),
    "hl7-unlisted": (
        "hl7:unlisted",
        "a message with the certificate of a host that no flow lets call",
        _OTHER_CERTIFICATE,
    ),
    "hl7-other-sender": ("hl7:other_sender", "a message in another application's name (MSH-3)", "--sender EHR1"),
    "hl7-other-event": ("hl7:other_event", "a message type that is not permitted", "--event ADT^A40"),
    "hl7-duplicate": ("hl7:duplicate", "a second message with the same control id (MSH-10)", "--event ADT^A04"),
    "hl7-malformed": ("hl7:malformed", "messages that are none", ""),
}
"""Case: ``module:function`` in this package, what it tries, and the arguments of its example."""


def main(argv: Sequence[str]) -> int:
    """Run one case; exit code 0 when the attempt was made, refused or not, and 3 when there was no connection."""
    verbs = [
        Verb(
            name=case,
            summary=summary,
            run="simulators.misuse.cli:attempt",
            example=f"{case} {example}".strip(),
            arguments=_arguments,
        )
        for case, (_, summary, example) in CASES.items()
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
    parser.add_argument("--instance", metavar="UID", help="SOP instance or study that the case is about")
    parser.add_argument("--sender", metavar="NAME", help="sending application (MSH-3) to claim")
    parser.add_argument("--event", metavar="TYPE", default="ADT^A04", help="HL7 message type (default: ADT^A04)")


def attempt(arguments: argparse.Namespace, settings: Settings) -> Result:
    """Make the attempt that the verb names."""
    from importlib import import_module  # noqa: PLC0415 # --help needs neither DICOM nor HL7

    from simulators.command_line import Result  # noqa: PLC0415
    from simulators.misuse.outcome import outcome  # noqa: PLC0415

    module, _, function = CASES[arguments.verb][0].partition(":")
    library = import_module(f"simulators.misuse.{module}")
    if not settings.host.roles:
        raise NotReadyError(f"{settings.host.name} has no role", remedy="Run the case on one of the hospital's hosts.")
    peer = library.peer_of(arguments, settings).name
    made = outcome(arguments.verb, peer, lambda: getattr(library, function)(arguments, settings))
    data, text = made.as_dict(), _line(made)
    if arguments.control and module == "dicom":
        after = outcome("dicom-control", peer, lambda: library.control(arguments, settings))
        data["control"] = after.as_dict()
        text += f"\n{_line(after)}"
    return Result(data, text)


def _line(made: Outcome) -> str:
    return f"{made.case} at {made.peer}: {'refused' if made.refused else 'let through'} ({made.detail})"
