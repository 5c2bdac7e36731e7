"""A retrieval apart has a folder of its own, which can be digested and discarded; nothing else can be discarded."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from simulators.errors import ArgumentError
from simulators.imaging.ct import ct_series
from simulators.imaging.digest import pixel_digest
from simulators.workstation import verbs
from tests.unit.simulators.imaging.study import context, ramp

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = cast("Any", None)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The workstation's folder."""
    monkeypatch.setattr(verbs, "HOME", tmp_path)
    return tmp_path


def test_two_retrievals_apart_do_not_share_a_folder(home: Path) -> None:
    asked = Namespace(apart=True, to=None)
    first, second = verbs.place(asked), verbs.place(asked)
    assert first != second
    assert {first.parent, second.parent} == {home}


def test_what_lies_in_a_folder_is_digested(home: Path) -> None:
    image = next(iter(ct_series(context(), ramp(1))))
    image.save_as(home / "image.dcm", enforce_file_format=True)
    found = verbs.digests(Namespace(folder=str(home)), SETTINGS).data["digests"]
    assert found == {image.SOPInstanceUID: pixel_digest(image)}


def test_a_folder_that_was_made_apart_goes_whole_when_a_part_of_it_is_named(home: Path) -> None:
    made = verbs.place(Namespace(apart=True, to=None))
    (made / "2.25.1").mkdir()
    verbs.discard(Namespace(folder=str(made / "2.25.1")), SETTINGS)
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("name", ["", "kept", "../outside", "apart-x/../kept", "apart-link"])
def test_nothing_else_is_discarded(home: Path, name: str) -> None:
    (home / "kept").mkdir()
    (home / "apart-x").mkdir()
    (home / "apart-link").symlink_to(home / "kept")
    with pytest.raises(ArgumentError, match="was not made by"):
        verbs.discard(Namespace(folder=str(home / name)), SETTINGS)
    assert (home / "kept").is_dir()
