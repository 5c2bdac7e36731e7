"""Commands that no host of the hospital has, and that are brought along when they are run: nothing of them stays there.

A host that carried the tools of an attack would hand them to whoever takes it over; what only a load needs is brought
along likewise. They are modules of the simulators, so a host needs the role of that name.
"""

from __future__ import annotations

import base64
import io
import zipfile
from functools import cache
from typing import TYPE_CHECKING

from lab.settings import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

PYTHON = "/opt/pacslab/venv/bin/python3"
"""Of role python_runtime."""
PACKAGES = {"pacslab-load": "load", "pacslab-misuse": "misuse"}
"""Command, and the package of simulators that it is: its ``cli.main`` takes the arguments."""
PROGRAM = """
import base64, os, sys
memory = os.memfd_create("brought")
os.write(memory, base64.b64decode("{archive}"))
import simulators
simulators.__path__.append(f"/proc/self/fd/{{memory}}")
from simulators.{package}.cli import main
sys.exit(main(sys.argv[2:]))
"""
"""The archive is read from memory also after the command became another account."""


def brought(argv: Sequence[str]) -> tuple[list[str], bytes | None]:
    """Return how to run a command, and what to hand it as standard input: a program, where it is brought along."""
    package = PACKAGES.get(argv[0])
    return (list(argv), None) if package is None else ([PYTHON, "-", *argv], _program(package))


@cache
def _program(package: str) -> bytes:
    top = ROOT / "simulators"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((top / package).rglob("*.py")):
            archive.write(path, path.relative_to(top))
    return PROGRAM.format(archive=base64.b64encode(packed.getvalue()).decode("ascii"), package=package).encode()
