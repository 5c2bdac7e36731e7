"""What must hold between the map of controls, the checks and scenarios, and the files of the project."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.controls.corrected import wrong_corrections
from lab.controls.model import Status
from lab.controls.promises import Kind
from lab.settings import ROOT
from lab.topology.problems import Problem, choose, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from lab.controls.map import Claim, ControlMap
    from lab.controls.promises import Promised


@dataclass(frozen=True)
class Subject:
    """What is looked at together; ``root`` is the project's folder."""

    map: ControlMap
    promises: Mapping[str, Promised]
    root: Path = ROOT


def mistakes(subject: Subject) -> list[Problem]:
    """Everything that does not hold, in the order of the files."""
    return sorted({problem for rule in RULES for problem in rule(subject)})


def every_row_is_there(subject: Subject) -> Iterator[Problem]:
    """A row of the table without its file would be a control that nobody looks after."""
    table, rows = subject.map.table, subject.map.rows
    named = [place.row for place in subject.map.places()]
    for number, function in enumerate(table.content.functions):
        for position, category in enumerate(function.categories):
            for index, row in enumerate(category.rows):
                where = ("functions", number, "categories", position, "rows", index)
                if row not in rows:
                    yield table.source.problem(where, f"{row} has no file.", f"Write controls/rows/{row}.yml.")
                if named.count(row) > 1:
                    yield table.source.problem(where, f"{row} stands here twice.", "Remove one of the two.")
    for row, written in rows.items():
        if row not in named:
            yield written.source.problem(
                (), f"{row} is no row of the table.", choose(row, named, "Rows") + " Or add it to controls/table.yml."
            )


def capabilities_are_known(subject: Subject) -> Iterator[Problem]:
    """A capability that the technical report does not have is a slip."""
    known = subject.map.table.content.capabilities
    for written in subject.map.rows.values():
        for position, capability in enumerate(written.content.iec_80001_2_2):
            if capability not in known:
                yield written.source.problem(
                    ("iec_80001_2_2", position),
                    f"There is no capability {capability}.",
                    choose(capability, known, "Known"),
                )


def status_fits_the_evidence(subject: Subject) -> Iterator[Problem]:
    """A row is not called automated where nothing is judged, nor open where something is."""
    claimed = {claim.row for claim in subject.map.claims()}
    for name, written in subject.map.rows.items():
        row, source = written.content, written.source
        judged = name in claimed
        if row.status.claims_results and not judged:
            yield source.problem(
                ("status",),
                f"{name} is {row.status}, and names no result.",
                "Name results in evidence, or call it manual or open.",
            )
        if judged and not row.status.claims_results:
            yield source.problem(
                ("status",),
                f"{name} is {row.status}, and names results.",
                "Call it partial, or automated if nothing is left.",
            )
        if row.status is Status.MANUAL and not row.documents:
            yield source.problem(
                ("status",),
                f"{name} is manual, and names no document.",
                "Name what a person reads to judge it, or call it open.",
            )
        if row.status is Status.OPEN and (row.documents or row.covered):
            yield source.problem(
                ("status",),
                f"{name} is open, and says that something is there.",
                "Call it manual, or remove covered and documents.",
            )
        if row.status is not Status.OPEN and not row.covered:
            yield source.problem((), f"{name} does not say what is covered.", "Add covered: what the evidence shows.")


def documents_exist(subject: Subject) -> Iterator[Problem]:
    """A document that is named can be read."""
    for written in subject.map.rows.values():
        for position, document in enumerate(written.content.documents):
            path = (subject.root / document).resolve()
            if not path.is_relative_to(subject.root.resolve()) or not path.is_file():
                yield written.source.problem(
                    ("documents", position),
                    f"There is no document {document}.",
                    "Name a file by its path from the project's folder, such as docs/pki.md.",
                )


def evidence_exists(subject: Subject) -> Iterator[Problem]:
    """An id that nothing yields any more would be evidence that nobody ever sees fail."""
    for claim in subject.map.claims():
        if claim.row not in subject.map.rows:
            yield claim.source.problem(
                claim.where, f"{claim.row} is no row of the map.", choose(claim.row, subject.map.rows, "Rows")
            )
        if not any(claim.covers(name) for name in subject.promises):
            meant = nearest(claim.pattern, subject.promises)
            yield claim.source.problem(
                claim.where,
                f"No check, step or abuse case has the id {claim.pattern}.",
                f"Did you mean {meant}?"
                if meant
                else "`pacslab verify list` and docs/control-map.md name those that exist.",
            )


def evidence_is_named_once(subject: Subject) -> Iterator[Problem]:
    """A result that a pattern covers already need not be named again."""
    claims: dict[str, list[Claim]] = {}
    for claim in subject.map.claims():
        claims.setdefault(claim.row, []).append(claim)
    for row, group in claims.items():
        for position, claim in enumerate(group):
            others = (*group[:position], *(other for other in group[position + 1 :] if other.pattern != claim.pattern))
            wider = next((other for other in others if other.covers(claim.pattern)), None)
            if wider is not None:
                yield claim.source.problem(
                    claim.where, f"{row} names {claim.pattern} already, as {wider.pattern}.", "Remove one of the two."
                )


def every_promise_is_claimed(subject: Subject) -> Iterator[Problem]:
    """A check that supports no control is either not needed, or its control is missing from the map."""
    claims = list(subject.map.claims())
    for promised in subject.promises.values():
        if promised.kind is Kind.COMPLETION or any(claim.covers(promised.id) for claim in claims):
            continue
        path, line = promised.place
        yield Problem(
            path,
            line,
            f"No row of the map of controls names {promised.id}.",
            "Name it in the evidence of a file of controls/rows/, or in a file of controls/evidence/.",
        )


def retired_ids_stay_away(subject: Subject) -> Iterator[Problem]:
    """An id that meant something else once would make old reports lie."""
    retired = subject.map.retired
    ids = [entry.id for entry in retired.content.retired]
    for position, name in enumerate(ids):
        line = retired.source.line(("retired", position))
        if name in subject.promises:
            yield Problem(
                *subject.promises[name].place,
                f"{name} was used before: controls/{retired.source.path.name}, line {line}.",
                "Choose an id that was never used.",
            )
        if name in ids[:position]:
            yield retired.source.problem(("retired", position), f"{name} stands here twice.", "Remove one of the two.")


def corrections_are_made(subject: Subject) -> Iterator[Problem]:
    """What is said to stand now does, and what stood does not."""
    return wrong_corrections(subject.map)


def no_program_names_a_control(subject: Subject) -> Iterator[Problem]:
    """Which control a check supports is said here, so that checks know nothing of frameworks."""
    codes = re.compile(rf"\b(?:{'|'.join(re.escape(row) for row in subject.map.rows if '.' in row)})\b")
    for folder in ("lab", "simulators", "roles"):
        for path in sorted((subject.root / folder).rglob("*.py")):
            for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
                found = codes.search(line)
                if found:
                    yield Problem(
                        path,
                        number,
                        f"The control {found[0]} stands in a program.",
                        "Name the result in controls/ instead.",
                    )


RULES: tuple[Callable[[Subject], Iterator[Problem]], ...] = (
    every_row_is_there,
    capabilities_are_known,
    status_fits_the_evidence,
    documents_exist,
    evidence_exists,
    evidence_is_named_once,
    every_promise_is_claimed,
    retired_ids_stay_away,
    corrections_are_made,
    no_program_names_a_control,
)
