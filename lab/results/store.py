"""The store of runs, ``.lab/<lab>/runs/``: for each run its manifest, results and summary."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NotRequired, Self, TypedDict

from lab.atomic_write import atomic_write
from lab.errors import UsageError
from lab.results.model import Result, all_good, counts
from lab.state_file import DamagedFileError, Moment, parse_json, read_bytes, read_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    from lab.results.manifest import Manifest

FOLDER = "runs"
IDS = "ids"
"""Key of the kept summary: what the run judged, so that a run need not be read to know that it says nothing new."""
MANIFEST, RESULTS, SUMMARY = "manifest.json", "results.jsonl", "summary.json"
KEEP_VARIABLE = "PACSLAB_KEEP_RUNS"
KEPT = 100
"""How many runs of a lab are kept unless the variable says otherwise; older ones are removed when a run begins."""


class Run:
    """A run being written: each result is in the store before the next is judged, so that a killed run leaves its own.

    Example:
        >>> with Run(lab.folder, "verify", manifest(lab, "verify segmentation", time.time())) as run:
        ...     run.add(result)
    """

    def __init__(self, folder: Path, name: str, manifest: Manifest) -> None:
        """Begin a run of a lab, and remove the oldest runs beyond the number that is kept."""
        self.results: list[Result] = []
        self._began = time.monotonic()
        prune(folder, keep=_keep() - 1)
        self.folder = _new_folder(folder / FOLDER, name, manifest.begun)
        self.id = self.folder.name
        (self.folder / MANIFEST).write_text(json.dumps(manifest.as_dict(), indent=1) + "\n", "utf-8")
        self._file = (self.folder / RESULTS).open("a", encoding="utf-8", buffering=1)

    def add(self, result: Result) -> Result:
        """Keep a result; it is returned as it is."""
        self.results.append(result)
        self._file.write(json.dumps(result.as_dict()) + "\n")
        return result

    @property
    def seconds(self) -> float:
        """How long the run takes so far."""
        return time.monotonic() - self._began

    @property
    def passed(self) -> bool:
        """Whether something was judged, and nothing failed or could not be judged."""
        return all_good(self.results)

    def summary(self) -> dict[str, Any]:
        """What the run came to, as it is kept and printed."""
        return {"passed": self.passed, "counts": counts(self.results), "seconds": round(self.seconds, 2)}

    def _ids(self) -> list[str]:
        return sorted({result.id for result in self.results})

    def __enter__(self) -> Self:
        """The run itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the summary, unless the run was broken off: it then stays without one, and is shown as unfinished."""
        self._file.close()
        if kind is None:
            atomic_write(self.folder / SUMMARY, json.dumps({**self.summary(), IDS: self._ids()}, indent=1) + "\n")


class _Manifest(TypedDict):
    """What is needed of a kept manifest; :class:`lab.results.manifest.Manifest` has all."""

    verb: str
    commit: str
    clean: bool | None
    site: str
    lab: str
    begun: Moment
    hosts: NotRequired[list[str]]


class _Summary(TypedDict):
    """What is needed of a kept summary."""

    passed: bool
    counts: dict[str, int]
    seconds: float
    ids: NotRequired[list[str]]


@dataclass(frozen=True)
class KeptRun:
    """A run of the store; ``summary`` is None when it did not come to its end."""

    id: str
    folder: Path
    manifest: dict[str, Any]
    summary: dict[str, Any] | None

    @property
    def ids(self) -> frozenset[str] | None:
        """The ids that it judged; None when it did not come to its end."""
        known = (self.summary or {}).get(IDS)
        return None if known is None else frozenset(known)

    def results(self) -> Iterator[Result]:
        """The run's results, in the order in which they were judged; a line that was cut off by a kill is left out.

        Raises:
            DamagedFileError: their file is gone, or another line of it is no result.
        """
        path, remedy = self.folder / RESULTS, f"Remove that run: 'rm -r {self.folder}'."
        try:
            lines = read_bytes(path, remedy=remedy).split(b"\n")
        except FileNotFoundError as error:
            raise DamagedFileError(path, "it is gone", remedy=remedy) from error
        for line in lines[:-1]:
            yield parse_json(path, line, Result, remedy=remedy)

    def as_dict(self) -> dict[str, Any]:
        """Return the run as ``--json`` prints it, without its results."""
        finished = self.summary or {"passed": None, "counts": counts(self.results()), "seconds": None}
        shown = {key: value for key, value in finished.items() if key != IDS}
        return {"run": self.id, "finished": self.summary is not None, **shown, "manifest": self.manifest}


def runs(folder: Path) -> list[KeptRun]:
    """The runs of a lab, oldest first; folders without a readable manifest are no runs."""
    return [run for path in sorted((folder / FOLDER).glob("*/")) if (run := _load(path)) is not None]


def run_of(folder: Path, wanted: str) -> KeptRun:
    """The run of an id, or the last one when ``wanted`` is ``last``.

    Raises:
        UsageError: there is none.
    """
    known = runs(folder)
    found = known[-1:] if wanted == "last" else [run for run in known if run.id == wanted]
    if not found:
        names = ", ".join(run.id for run in known[-3:]) or "none yet"
        raise UsageError(f"There is no run {wanted!r}.", remedy=f"The last ones: {names}; `pacslab runs` lists all.")
    return found[0]


def latest(folder: Path) -> dict[str, tuple[KeptRun, list[Result]]]:
    """For each result id, the last run that judged it, and what is known of it.

    A run that was narrowed to some hosts, or did not come to its end, says nothing of the others: what older runs found
    of those stays. Runs that only have what newer ones judged again are not read.
    """
    found: dict[str, tuple[KeptRun, dict[tuple[str, str], list[Result]]]] = {}
    closed: set[str] = set()
    for run in reversed(runs(folder)):
        if run.ids is not None and run.ids <= closed:
            continue
        by_id: dict[str, dict[tuple[str, str], list[Result]]] = {}
        for result in run.results():
            if result.id not in closed:
                by_id.setdefault(result.id, {}).setdefault((result.host, result.subject), []).append(result)
        for id_, results in by_id.items():
            newest, known = found.get(id_, (run, {}))
            found[id_] = newest, {**results, **known}
        if run.summary is not None and not run.manifest.get("hosts"):
            closed |= set(by_id)
    return {
        id_: (run, [result for results in known.values() for result in results]) for id_, (run, known) in found.items()
    }


def prune(folder: Path, *, keep: int) -> list[str]:
    """Remove the oldest runs until ``keep`` are left; return the ids of those removed."""
    known = runs(folder)
    old = known[: max(0, len(known) - max(0, keep))]
    for run in old:
        shutil.rmtree(run.folder)
    return [run.id for run in old]


def _keep() -> int:
    """How many runs are kept.

    Raises:
        UsageError: the variable is not a number from 1 on.
    """
    text = os.environ.get(KEEP_VARIABLE) or str(KEPT)
    if not re.fullmatch("[0-9]{1,9}", text) or int(text) < 1:
        raise UsageError(f"{KEEP_VARIABLE} is {text!r}.", remedy="Set it to how many runs to keep: 1 or more.")
    return int(text)


def _new_folder(parent: Path, name: str, begun: float) -> Path:
    """A folder of its own for a run; runs that begin in the same second are told apart by a number."""
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    stem = f"{datetime.fromtimestamp(begun, UTC):%Y%m%dT%H%M%SZ}-{name}"
    number = 1
    while True:
        folder = parent / (stem if number == 1 else f"{stem}-{number}")
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            number += 1
        else:
            return folder


def _load(folder: Path) -> KeptRun | None:
    try:
        manifest = _read(folder / MANIFEST, _Manifest)
    except (FileNotFoundError, DamagedFileError):
        return None
    try:
        summary = _read(folder / SUMMARY, _Summary)
    except (FileNotFoundError, DamagedFileError):
        summary = None
    return KeptRun(folder.name, folder, manifest, summary)


def _read(path: Path, needed: type) -> dict[str, Any]:
    """All that a file holds, once it holds what is needed of it."""
    read_json(path, needed, remedy="")
    return read_json(path, dict[str, Any], remedy="")
