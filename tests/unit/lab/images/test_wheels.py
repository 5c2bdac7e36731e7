"""The hosts' Python packages are pinned, complete, and fetched once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from lab.images import wheels
from lab.images.lock import pins, targets, wanted

((TARGET, EXTRA),) = targets().items()


def pinned() -> dict[str, str]:
    """Versions by name in the committed file."""
    lines = [line for line in TARGET.read_text("utf-8").splitlines() if not line.startswith("#")]
    return dict(line.split("==") for line in lines)


def test_every_package_is_pinned_exactly() -> None:
    for line in TARGET.read_text("utf-8").splitlines():
        assert line.startswith("#") or re.fullmatch(r"[a-z0-9-]+==[0-9a-z.]+", line), line


@pytest.mark.parametrize("text", wanted(EXTRA))
def test_the_pins_satisfy_what_the_project_asks_for(text: str) -> None:
    requirement = Requirement(text)
    assert requirement.specifier.contains(pinned()[requirement.name])


def test_a_pin_is_made_of_a_wheels_name() -> None:
    assert pins([Path("Typing_Ext-4.1-py3-none-any.whl"), Path("a-1-cp313-cp313-x.whl")]) == "a==1\ntyping-ext==4.1\n"


def test_a_wheelhouse_is_fetched_once_for_each_lock_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[str] = []

    def download(words: list[str], target: Path) -> None:
        fetched.append(words[-1])
        (target / "a-1-py3-none-any.whl").write_text("wheel")

    monkeypatch.setattr(wheels, "download", download)
    lock = tmp_path / "requirements.txt"
    lock.write_text("a==1\n")
    house = wheels.fetch_wheels(lock, tmp_path / "houses")
    assert wheels.fetch_wheels(lock, tmp_path / "houses") == house
    assert [path.name for path in house.iterdir()] == ["a-1-py3-none-any.whl"]
    lock.write_text("a==2\n")
    assert wheels.fetch_wheels(lock, tmp_path / "houses") != house
    assert len(fetched) == 2


def test_a_fetch_that_fails_leaves_no_wheelhouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(_words: list[str], _target: Path) -> None:
        raise OSError("cut off")

    monkeypatch.setattr(wheels, "download", download)
    lock = tmp_path / "requirements.txt"
    lock.write_text("a==1\n")
    with pytest.raises(OSError, match="cut off"):
        wheels.fetch_wheels(lock, tmp_path / "houses")
    assert list((tmp_path / "houses").iterdir()) == []
