"""Runs a verb in this process, as the command would, and keeps what it printed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from lab.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = Callable[..., "Ran"]


@dataclass(frozen=True)
class Ran:
    """A verb that ended: its exit code, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, parsed."""
        return json.loads(self.out)


def run_verb(capsys: pytest.CaptureFixture[str], *words: str) -> Ran:
    """Run ``pacslab WORDS``."""
    with pytest.raises(SystemExit) as end:
        main(list(words))
    out, err = capsys.readouterr()
    assert isinstance(end.value.code, int)
    return Ran(end.value.code, out, err)
