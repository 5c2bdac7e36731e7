"""A log collector whose files are in a folder of this machine."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, cast

from lab.engine.execute import Completed
from lab.hospital import collected
from lab.hospital.collected import Collected
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from lab.engine.lab import Lab


class _Here:
    """A lab whose hosts are this machine."""

    site = committed_site("reference")

    def run(self, _: str, argv: list[str], *, input: bytes | None = None, **__: Any) -> Completed:  # noqa: A002 # as Lab.run
        """Run a command here."""
        said = None if input is None else input.decode()
        done = subprocess.run(argv, input=said, capture_output=True, text=True, check=False)
        return Completed(done.returncode, done.stdout, done.stderr)


def collected_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Collected:
    """Read the files of a folder as the collector's."""
    monkeypatch.setattr(collected, "FOLDER", str(folder))
    return Collected(cast("Lab", _Here()))


def line(program: str, message: str) -> str:
    """One line as the collector writes it."""
    return json.dumps({"program": program, "message": message}) + "\n"
