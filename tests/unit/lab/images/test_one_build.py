"""One build at a time on a machine."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from unittest.mock import Mock

from lab.events import Bus, Note
from lab.images import ensure
from lab.images.ensure import _alone, _build
from lab.settings import load_settings
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from lab.events import Event


def test_a_second_build_says_that_it_waits_and_goes_on_when_the_first_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    bus, told, entered = Bus(), threading.Event(), threading.Event()
    said: list[Event] = []
    bus.subscribe(lambda event: (said.append(event), told.set()))

    def second() -> None:
        with _alone(bus):
            entered.set()

    with _alone(bus):
        assert not said
        waiting = threading.Thread(target=second)
        waiting.start()
        assert told.wait(10)
        assert not entered.is_set()
    assert entered.wait(10)
    waiting.join()
    assert [event.text for event in said if isinstance(event, Note)] == [
        "Another build runs on this machine; waiting for it."
    ]


def test_package_lists_are_fetched_in_the_base_image_whatever_else_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = committed_site("small-practice")
    recipes = list(ensure.recipes_of(site, load_settings()).values())
    base, last = recipes[0], recipes[-1]
    there = {recipe.key: f"image of {recipe.name}" for recipe in reversed(recipes) if recipe is not last}
    bakery = Mock()
    bakery.bake.return_value = {last.key: "image of the last"}
    monkeypatch.setattr("lab.images.bake.Bakery", lambda *_: bakery)
    monkeypatch.setattr(ensure, "remove_left_over", lambda _: [])
    monkeypatch.setattr("lab.images.wheels.fetch_wheels", Mock(return_value=tmp_path))
    monkeypatch.setattr("lab.images.npm.fetch_packages", Mock(return_value=tmp_path))
    _build(Mock(), load_settings(), site, [last], there, bus=Bus())
    bakery.refresh_lists.assert_called_once_with(f"image of {base.name}")
    assert there[last.key] == "image of the last"
