"""Copies of the map of controls to be spoilt, and promises for them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from lab.controls.lint import Subject, mistakes
from lab.controls.load import FOLDER, ControlsError, load_map
from lab.settings import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lab.controls.promises import Promised
    from lab.topology.problems import Problem


def copied(folder: Path) -> Path:
    """A copy of the project's map."""
    return shutil.copytree(FOLDER, folder / "controls")


def change(path: Path, old: str, new: str) -> int:
    """Replace a text that stands in a file once; return the line on which it began."""
    text = path.read_text("utf-8")
    assert text.count(old) == 1, f"{old!r} stands in {path.name} {text.count(old)} times"
    path.write_text(text.replace(old, new), "utf-8")
    return text[: text.index(old)].count("\n") + 1


def found(folder: Path, promises: Mapping[str, Promised], root: Path = ROOT) -> list[Problem]:
    """What the linter says of a map."""
    try:
        return mistakes(Subject(load_map(folder), promises, root))
    except ControlsError as error:
        return error.problems
