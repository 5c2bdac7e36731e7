"""A host that is gone for longer than a restart takes is missed, once until it comes again."""

from __future__ import annotations

from simulators.siem.core.presence import PATIENCE, Presence


def test_a_host_that_was_there_and_is_gone_is_missed_once() -> None:
    presence = Presence((), 0.0)
    presence.opened("ris1")
    assert presence.missed(1e6) == []
    presence.closed("ris1", 100.0)
    assert presence.missed(100.0 + PATIENCE - 1) == []
    assert presence.missed(100.0 + PATIENCE) == ["ris1"]
    assert presence.missed(200.0 + PATIENCE) == []
    presence.opened("ris1")
    presence.closed("ris1", 500.0)
    assert presence.missed(500.0 + PATIENCE) == ["ris1"]


def test_a_restart_is_no_absence() -> None:
    presence = Presence((), 0.0)
    presence.opened("ris1")
    presence.closed("ris1", 100.0)
    presence.opened("ris1")
    assert presence.missed(1e6) == []


def test_a_host_with_another_connection_is_there() -> None:
    presence = Presence((), 0.0)
    presence.opened("ris1")
    presence.opened("ris1")
    presence.closed("ris1", 100.0)
    assert presence.missed(1e6) == []


def test_a_host_that_is_expected_and_never_comes_is_missed() -> None:
    presence = Presence(("ct1", "ct2"), 0.0)
    presence.opened("ct1")
    assert presence.missed(PATIENCE) == ["ct2"]
