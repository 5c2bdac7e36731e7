"""``python -m lab.verify``: a part of `make lint`: every promise of every check has a sabotage that it must catch."""

from __future__ import annotations

import sys

from lab.topology.load import sites_with_every_role
from lab.verify.sabotage.lint import unproven


def main() -> int:
    """Name the promises without one; 1 when there are any."""
    missing = unproven(sites_with_every_role())
    for name in missing:
        print(f"{name} has no sabotage.\n    Write one beside the check: docs/add-a-check.md.", file=sys.stderr)  # noqa: T201 # a command
    return 1 if missing else 0


if __name__ == "__main__":
    raise SystemExit(main())
