"""The table of commands that lab hosts have, and the dispatcher behind their links.

A host's ``/usr/local/bin/pacslab-ehr`` runs :func:`main`, which imports the one module it needs.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

COMMANDS: dict[str, str] = {
    "pacslab-ehr": "simulators.ehr.cli:main",
    "pacslab-ris": "simulators.ris.cli:main",
    "pacslab-modality": "simulators.modality.cli:main",
    "pacslab-workstation": "simulators.workstation.cli:main",
    "pacslab-image-manager": "simulators.image_manager.cli:main",
    "pacslab-gateway": "simulators.gateway.cli:main",
    "pacslab-administration": "simulators.administration.cli:main",
}
"""Command name to ``module:function``; the function takes the arguments and returns the exit code."""


def main(argv: list[str] | None = None) -> int:
    """Run the command that this process was started as, or the first argument's.

    Works as the target of links (``pacslab-ris orders``) and as ``python -m simulators.commands pacslab-ris orders``.
    """
    words = list(sys.argv if argv is None else argv)
    name = Path(words.pop(0)).name
    if name not in COMMANDS:
        name = words.pop(0) if words else ""
    if name not in COMMANDS:
        sys.stderr.write(f"error: no command {name!r}; there are {', '.join(COMMANDS)}\n")
        return 2
    if words[:1] == ["serve"]:
        leave_out_numpy()
    module, _, function = COMMANDS[name].partition(":")
    code: int = getattr(importlib.import_module(module), function)(words)
    return code


def leave_out_numpy() -> None:
    """Keep NumPy, which pydicom imports wherever it is, out of this process: a service looks at no pixels.

    It starts in little more than half the time then, and takes 15 MB less.
    """
    sys.modules["numpy"] = None  # type: ignore[assignment] # importing it then fails (importlib, sys.modules)


if __name__ == "__main__":
    sys.exit(main())
