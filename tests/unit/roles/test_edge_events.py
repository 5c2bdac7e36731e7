"""What the edges log is in the words of the tables: keys, actions, transactions and reasons (docs/events.md)."""

from __future__ import annotations

import re
from importlib import import_module
from itertools import pairwise

import pytest

from lab.topology.catalog import ROLES_DIR
from simulators.events.actions import ACTIONS, EDGE
from simulators.events.keys import FIXED
from simulators.events.reasons import REASONS
from simulators.events.vocabulary import Outcome
from tests.unit.roles.test_edges import EVERY_EDGE, fragment

FORMAT = re.compile(r'^ *(?:error-)?log-format "(.*)"$', re.MULTILINE)
MAPS = ROLES_DIR / "haproxy" / "files"


def mapped(name: str) -> list[tuple[str, str]]:
    """What is looked up in a map, and what it gives."""
    lines = (MAPS / name).read_text("utf-8").splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return [(pattern, word) for pattern, word in pairs if not word.startswith("\\")]


@pytest.mark.parametrize(("site", "host", "role"), EVERY_EDGE)
def test_every_line_of_an_edge_has_keys_that_its_action_declares(site: str, host: str, role: str) -> None:
    formats = FORMAT.findall(fragment(site, host, role))
    assert formats
    for line in formats:
        (word,) = re.findall(r"%\(action\)\[str\(([\w-]+)\)\]", line)
        assert EDGE in ACTIONS[word].programs
        assert set(re.findall(r"%\((\w+)(?::\w+)?\)", line)) <= FIXED.keys() | set(ACTIONS[word].facts)


@pytest.mark.parametrize(("site", "host", "role"), EVERY_EDGE)
def test_a_rule_refuses_for_a_reason_of_the_table(site: str, host: str, role: str) -> None:
    text = fragment(site, host, role)
    reasons = re.findall(r"set-var\(txn\.reason\) str\(([\w-]+)\)", text)
    assert {REASONS[reason].outcome for reason in reasons} == {Outcome.REFUSED}
    assert set(re.findall(r"set-var\(txn\.transaction\) str\(([\w-]+)\)", text)) <= set(ACTIONS["request"].transactions)


def test_a_handshake_has_a_reason_of_the_outcome_that_it_has() -> None:
    outcomes = {code: Outcome(word) for code, word in mapped("tls-outcomes.map")}
    for code, word in [*mapped("tls-reasons.map"), ("1", "tls-error")]:
        assert REASONS[word].outcome is outcomes.get(code, Outcome.REFUSED)


def test_a_code_of_a_handshake_is_the_one_that_openssl_names_so() -> None:
    lines = (MAPS / "tls-reasons.map").read_text("utf-8").splitlines()
    named = {int(line.split()[0]): before.removeprefix("# ") for before, line in pairwise(lines) if line[0] != "#"}
    assert named.pop(0)
    reasons = import_module("_ssl").err_codes_to_names
    assert named == {code: reasons[code >> 23, code & 0x7FFFFF] for code in named}


def test_an_end_of_a_connection_has_a_reason_of_the_outcome_that_it_has() -> None:
    outcomes = [(re.compile(pattern), Outcome(word)) for pattern, word in mapped("outcomes.map")]
    for pattern, word in mapped("reasons.map"):
        ends = [f"{end}/" for end in (".", ".PR", ".SC", ".sQ", ".sH", ".CR", ".RL")]
        meant = [end for end in ends if re.search(pattern, end)]
        assert meant, pattern
        for end in meant:
            assert REASONS[word].outcome is next(outcome for fate, outcome in outcomes if fate.search(end))
