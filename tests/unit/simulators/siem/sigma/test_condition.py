"""Conditions of Sigma mean what the specification says, and what is none is refused."""

from __future__ import annotations

import pytest

from simulators.siem.sigma.condition import ConditionError, parse
from simulators.siem.sigma.model import AllOf, Comparison, Not, OneOf, Op

A, B, C = (Comparison("event.action", Op.EQUALS, letter) for letter in "abc")
SELECTIONS = {"a": A, "b": B, "c_1": C, "c_2": A, "_hidden": B}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a", A),
        ("a and b", AllOf((A, B))),
        ("a or b and not c_1", OneOf((A, AllOf((B, Not(C)))))),
        ("(a or b) and c_1", AllOf((OneOf((A, B)), C))),
        ("not (a or b)", Not(OneOf((A, B)))),
        ("1 of c_*", OneOf((C, A))),
        ("all of c_*", AllOf((C, A))),
        ("any of them", OneOf((A, B, C, A))),
        ("a AND NOT 1 of c_*", AllOf((A, Not(OneOf((C, A)))))),
    ],
)
def test_a_condition_is_read(text: str, meant: object) -> None:
    assert parse(text, SELECTIONS) == meant


@pytest.mark.parametrize("text", ["", "a and", "x", "(a", "a b", "1 of d_*", "not", "a | count() > 5", "2 of c_*"])
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(ConditionError):
        parse(text, SELECTIONS)
