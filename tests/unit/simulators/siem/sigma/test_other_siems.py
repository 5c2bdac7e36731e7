"""A hospital takes the rules to its own SIEM: pySigma makes queries of OpenSearch and of Splunk of each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sigma.backends.opensearch import OpensearchLuceneBackend, OpenSearchPPLBackend
from sigma.backends.splunk import SplunkBackend
from sigma.collection import SigmaCollection

from simulators.siem.sigma.model import Correlation, Op, Rule
from simulators.siem.sigma.read import RULES, read_file
from tests.unit.simulators.siem.sigma.nodes import comparisons

if TYPE_CHECKING:
    from pathlib import Path

FILES = sorted(RULES.glob("*.yml"))


def _name(path: Path) -> str:
    return path.stem


def _parsed(path: Path) -> SigmaCollection:
    collection = SigmaCollection.from_yaml(path.read_text("utf-8"))
    assert collection.errors == []
    return collection


def _missing(path: Path, query: str) -> list[str]:
    """The values that the rules name and the query does not."""
    plain = query.replace("\\", "").lower()
    wanted = [
        str(test.value).lower()
        for rule in read_file(path)
        if isinstance(rule, Rule)
        for test in comparisons(rule.node)
        if test.op is Op.EQUALS
    ]
    return [value for value in wanted if value not in plain]


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_splunk_searches_each(path: Path) -> None:
    (query,) = SplunkBackend().convert(_parsed(path))
    assert _missing(path, query) == []
    for rule in read_file(path):
        if isinstance(rule, Correlation):
            assert "stats" in query
            assert f">= {rule.least}" in query
            assert all(name in query for name in rule.group_by)


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_opensearch_searches_each(path: Path) -> None:
    (query,) = OpenSearchPPLBackend().convert(_parsed(path))
    assert "source=" in query
    assert _missing(path, query) == []
    for rule in read_file(path):
        if isinstance(rule, Correlation):
            assert f">= {rule.least}" in query
            assert all(name in query for name in rule.group_by)


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_lucene_searches_each_that_is_about_one_event(path: Path) -> None:
    if any(isinstance(rule, Correlation) for rule in read_file(path)):
        with pytest.raises(NotImplementedError, match="correlation"):
            OpensearchLuceneBackend().convert(_parsed(path))
    else:
        (query,) = OpensearchLuceneBackend().convert(_parsed(path))
        assert _missing(path, query) == []
