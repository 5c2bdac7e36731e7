"""``pacslab audit``: what the repository of audit messages has, and the proof that it is unchanged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lab.cli import numbers
from lab.engine.lab import Lab
from lab.errors import UsageError
from lab.printable import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from lab.hospital.repository import Found, Proof, Repository

EXAMPLE = """
pacslab audit show --accession A0000001
pacslab audit show --person a.rivera --since 2026-01-05T00:00:00Z --json
pacslab audit verify
pacslab audit senders
"""
WANTED = ("accession", "patient", "person", "study")
LINES = ("senders", "quarantine")
COLUMNS = (
    ("TIME", "@timestamp"), ("HOST", "host.name"), ("ACTION", "event.action"), ("OUTCOME", "event.outcome"),
    ("PERSON", "user.name"), ("PATIENT", "patient.id"), ("ACCESSION", "dicom.accession"), ("STUDY", "dicom.study_uid"),
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what to do, and of whom or what."""
    parser.add_argument("action", choices=("show", "verify", *LINES), help="what to do")
    for name in WANTED:
        parser.add_argument(f"--{name}", metavar="VALUE", help=f"show: events of this {name}; all that are given hold")
    parser.add_argument("--since", metavar="TIME", help="show: only what was received since then (RFC 3339)")
    parser.add_argument("--limit", type=numbers.count, metavar="N", help="show: the newest ones (default: 10,000)")


def run(arguments: argparse.Namespace) -> int:
    """Do it: 0 when it is done, 1 when a record is not as it was stored."""
    from lab.hospital.repository import Repository  # noqa: PLC0415 # --help needs none of it

    wanted = {name: value for name in WANTED if (value := getattr(arguments, name)) is not None}
    if arguments.action == "show" and not wanted:
        raise UsageError("'audit show' needs to know of what.", remedy=f"Say --{', --'.join(WANTED)}.")
    if arguments.action != "show" and (wanted or arguments.since or arguments.limit):
        raise UsageError(f"'audit {arguments.action}' takes nothing else.", remedy="Leave the rest out.")
    repository = Repository(Lab.open(arguments.lab))
    if arguments.action == "verify":
        return _verify(repository.verify(), as_json=arguments.json)
    if arguments.action == "show":
        return _show(repository.show(arguments.since, arguments.limit, **wanted), as_json=arguments.json)
    return _lines(repository, arguments.action, as_json=arguments.json)


def _show(found: Sequence[Found], *, as_json: bool) -> int:
    if as_json:
        print(json.dumps([entry.model_dump() for entry in found], indent=1))
        return 0
    rows = [[title for title, _ in COLUMNS]]
    rows += [[_text(entry.fields.get(name)) for _, name in COLUMNS] for entry in found]
    widths = [max(len(row[number]) for row in rows) for number in range(len(COLUMNS))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _verify(proof: Proof, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps(proof.model_dump(), indent=1))
    elif proof.fault is None:
        print(
            f"{proof.records} records in {proof.batches} batches are as they were stored"
            f" ({proof.checkpoints} checkpoints of others fit; {proof.dropped} records have gone by the policy)."
        )
    else:
        print(f"{proof.fault.kind}: {printable(proof.fault.says)}")
    return 0 if proof.fault is None else 1


def _lines(repository: Repository, verb: str, *, as_json: bool) -> int:
    found = repository.lines(verb)
    if as_json:
        print(json.dumps(found, indent=1))
        return 0
    for entry in found:
        print("  ".join(f"{key}={_text(value)}" for key, value in entry.items()))
    return 0


def _text(value: object) -> str:
    return "-" if value is None else printable(str(value)).replace("\n", "\\n").replace("\t", "\\t")
