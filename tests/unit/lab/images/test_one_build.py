"""One build at a time on a machine."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from lab.events import Bus, Note
from lab.images.ensure import _alone

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
