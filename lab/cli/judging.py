"""What every verb that judges shares: its run in the store, JUnit, and lines for people."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lab.results.model import Outcome
from lab.results.store import Run

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from lab.engine.lab import Lab
    from lab.results.model import Result

WORDS = {
    Outcome.PASSED: "ok    ",
    Outcome.FAILED: "FAILED",
    Outcome.ERROR: "ERROR ",
    Outcome.SKIPPED: "skipped",
    Outcome.NOT_APPLICABLE: "n/a   ",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what every such verb takes."""
    parser.add_argument("--junit", metavar="FILE", type=Path, help="also write the results as JUnit XML")


@contextmanager
def kept_run(
    lab: Lab,
    verb: str,
    words: Sequence[str],
    junit: Path | None,
    *,
    hosts: Sequence[str] = (),
    options: Sequence[str] = (),
    engine: bool = True,
) -> Iterator[Run]:
    """A run in the lab's store; when it ends, whether or not it was broken off, what there is goes to JUnit too.

    Args:
        lab: what is judged.
        verb: what judges.
        words: what is judged of it; with the verb they name the run.
        junit: where results go besides.
        hosts: the hosts that are judged; none for all.
        options: further words of the command, which are kept with the run.
        engine: False where no container is judged, so that none need run here.
    """
    from lab.results.manifest import manifest  # noqa: PLC0415 # reads the site, which --help needs not

    name = "-".join([verb, *words]) or verb
    with Run(
        lab.folder, name, manifest(lab, " ".join([verb, *words, *options]), time.time(), hosts, engine=engine)
    ) as run:
        try:
            yield run
        finally:
            if junit is not None:
                from lab.results.junit import write_junit  # noqa: PLC0415 # only who asks for it pays

                write_junit(junit, f"pacslab {' '.join([verb, *words])}", run.results)


def say(text: str) -> None:
    """Tell a person, on standard error, what is going on."""
    print(text, file=sys.stderr, flush=True)


def tell(result: Result) -> None:
    """Tell a person, on standard error, of a result that was not good."""
    if not result.good:
        say(f"{WORDS[result.outcome]}  {result}")


def total(run: Run) -> str:
    """One line for people about a run that ended: every outcome that occurred, and where it is kept."""
    found = ", ".join(f"{number} {outcome}" for outcome, number in run.summary()["counts"].items() if number)
    return f"{found or 'nothing judged'}, in {run.seconds:.1f} s; kept as {run.id}"
