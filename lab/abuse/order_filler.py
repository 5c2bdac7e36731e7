"""How controls of the order filler are switched off: its program, as the host has it, is changed line by line."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lab.abuse.weakening import EditedFiles

if TYPE_CHECKING:
    from lab.abuse.weakening import Edit

LIBRARY = "/opt/pacslab/lib/simulators"
"""Where hosts have the simulators."""


def restarted(text: str, *edits: Edit) -> EditedFiles:
    """Change files of the simulators' library, named from there; the service tells systemd when it is back."""
    placed = tuple(replace(edit, path=f"{LIBRARY}/{edit.path}") for edit in edits)
    return EditedFiles(text, placed, effect=("systemctl", "restart", "pacslab-ris.service"))
