"""Programs that roles bring to hosts, as modules."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING
from unittest import mock

from lab.settings import ROOT

if TYPE_CHECKING:
    from types import ModuleType


def role_program(role: str, file: str) -> ModuleType:
    """Load a file of a role; nothing is written beside it, since the role's files are what images are keyed by."""
    path = ROOT / "roles" / role / "files" / file
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    # What is beside it on a host: its own role's files, and those of the roles that every host has.
    beside = [str(ROOT / "roles" / name / "files") for name in (role, "base", "trust")]
    with (
        mock.patch.object(sys, "dont_write_bytecode", new=True),
        mock.patch.object(sys, "path", [*beside, *sys.path]),
        mock.patch.dict(sys.modules, {path.stem: module}),
    ):
        specification.loader.exec_module(module)
    return module
