"""``python -m lab.controls`` says what is wrong with the map of controls: a linter."""

from __future__ import annotations

from lab.controls.lint import Subject, mistakes
from lab.controls.load import ControlsError, load_map
from lab.controls.promises import promises


def main() -> int:
    """Print every mistake; 0 when there is none, 1 when there is."""
    try:
        found = mistakes(Subject(load_map(), promises()))
    except ControlsError as error:
        found = error.problems
    for problem in found:
        print(problem)  # noqa: T201 # a linter prints
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
