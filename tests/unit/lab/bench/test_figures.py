"""A figure is a ratio of medians, judged by its bound; runs of both sides alternate."""

from __future__ import annotations

from lab.bench.dicom import PIECES, switch
from lab.bench.figures import Figure, alternate
from simulators import report_lock, response_guard, tls_connection


def test_speed_is_the_peers_time_by_ours_and_has_a_least_value() -> None:
    figure = Figure("a", "b", (2.0, 9.0, 2.0), (1.9, 1.9, 1.9), 0.9, faster=True)
    assert figure.ratio == 1.9 / 2.0
    assert figure.passed
    assert not Figure("a", "b", (2.0,), (1.0,), 0.9, faster=True).passed


def test_time_is_ours_by_the_peers_and_has_a_greatest_value() -> None:
    assert Figure("a", "b", (3.9,), (2.0,), 2.0, faster=False).passed
    assert not Figure("a", "b", (4.1,), (2.0,), 2.0, faster=False).passed


def test_without_a_bound_nothing_is_judged() -> None:
    figure = Figure("a", "b", (9.0,), (1.0,), None, faster=True)
    assert figure.passed
    assert figure.as_dict()["aim"] == "none"


def test_each_piece_is_switched_off_by_the_module_that_adds_it() -> None:
    switches = {tls_connection.SWITCH, response_guard.SWITCH, report_lock.SWITCH}
    assert {switch(piece) for piece in PIECES} == switches


def test_what_is_printed_says_what_was_measured_and_how_often() -> None:
    printed = Figure("a", "b", (1.0, 2.0, 3.0), (1.0, 1.0, 1.0), 6, faster=False).as_dict()
    assert (printed["seconds"], printed["peer_seconds"], printed["ratio"], printed["repetitions"]) == (2.0, 1.0, 2.0, 3)
    assert printed["aim"] == "at most 6"


def test_what_was_done_is_told_by_the_hour_too() -> None:
    figure = Figure("a", "b", (60.0, 30.0, 90.0), (40.0,), None, faster=True, amounts={"orders": 10})
    assert (figure.an_hour, figure.peer_an_hour) == ({"orders": 600}, {"orders": 900})
    assert figure.as_dict()["an_hour"] == {"orders": 600}
    assert "an_hour" not in Figure("a", "b", (1.0,), (1.0,), None, faster=True).as_dict()


def test_runs_alternate_and_each_round_begins_with_another() -> None:
    order: list[str] = []

    def run(name: str) -> float:
        order.append(name)
        return float(len(order))

    said: list[str] = []
    taken = alternate({"a": lambda: run("a"), "b": lambda: run("b")}, 2, said.append)
    assert order == ["a", "b", "b", "a"]
    assert taken == {"a": (1.0, 4.0), "b": (2.0, 3.0)}
    assert said[-1] == "2/2 a: 4.00 s"
