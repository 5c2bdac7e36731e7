"""The files of hardening checks, and what they promise; found by being there, without pytest and without a lab."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from lab.settings import ROOT
from lab.verify.hardening.declare import declared_of, has_role

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from lab.verify.hardening.declare import Declared

FOLDER = ROOT / "tests" / "hardening"
ROLES = ROOT / "roles"
OF_A_ROLE = "verify"
"""A role's own checks: ``roles/<role>/verify/test_<noun>.py``."""


def check_files() -> list[Path]:
    """Every file of hardening checks, the general ones first."""
    return [*sorted(FOLDER.glob("test_*.py")), *sorted(ROLES.glob(f"*/{OF_A_ROLE}/test_*.py"))]


def role_of(path: Path) -> str | None:
    """The role whose own checks a file holds."""
    return path.parents[1].name if path.parent.name == OF_A_ROLE and path.parents[2] == ROLES else None


def module_name(path: Path) -> str:
    """What a file of checks is imported as; with it, an import for pytest and one for a list are the same."""
    parts = path.relative_to(ROOT).parts if path.is_relative_to(ROOT) else path.parts[1:]
    return "_".join(["hardening_checks", *parts]).removesuffix(".py")


@cache
def load(path: Path) -> ModuleType:
    """Import a file of checks."""
    name = module_name(path)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None  # noqa: S101 # of a file that was just found
    assert spec.loader is not None  # noqa: S101 # likewise
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def declared_in(path: Path) -> dict[str, Declared]:
    """What a file's test functions promise, by the functions' names."""
    return {
        name: declared
        for name, function in vars(load(path)).items()
        if name.startswith("test_") and (declared := declared_of(function)) is not None
    }


def undeclared_in(path: Path) -> list[str]:
    """The file's test functions that promise nothing."""
    return [
        name
        for name, function in vars(load(path)).items()
        if name.startswith("test_") and callable(function) and declared_of(function) is None
    ]


def all_declared() -> dict[str, Declared]:
    """Every declaration, by id.

    Raises:
        ValueError: two tests promise under the same id.
    """
    found: dict[str, Declared] = {}
    for path in check_files():
        for name, declared in declared_in(path).items():
            if declared.promise.id in found:
                raise ValueError(f"{path}: {name} has the id {declared.promise.id}, as another check does")
            found[declared.promise.id] = declared
    return found


def applies(path: Path, declared: Declared) -> Declared:
    """The declaration as it counts: a role's own checks are about hosts with that role only."""
    role = role_of(path)
    if role is None:
        return declared
    of_role, where = has_role(role), declared.where
    return replace(declared, where=lambda target: of_role(target) and where(target))
