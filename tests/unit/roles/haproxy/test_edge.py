"""What the macro for edges makes of its parameters, and what the two tables make of how a connection ended."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import trust_as_template

from lab.topology.catalog import ROLES_DIR
from tests.unit.roles.rendered import REFERENCE, run_action, variables_of

if TYPE_CHECKING:
    from pathlib import Path

FILES = ROLES_DIR / "haproxy" / "files"
IMPORT = "{% import 'haproxy/templates/edge.j2' as edge with context %}\n"


@pytest.fixture
def made(tmp_path: Path) -> Edge:
    return Edge(tmp_path)


class Edge:
    """Templates of a role that is not there, which import the macro."""

    def __init__(self, folder: Path) -> None:
        """Keep templates in a folder."""
        self.folder = folder

    def __call__(self, template: str) -> str:
        """Return what a template makes on the archive's host."""
        path = self.folder / "edge.cfg.j2"
        path.write_text(IMPORT + template)
        entry = {"template": trust_as_template(str(path)), "dest": "/x"}
        variables = variables_of(REFERENCE, "pacs-rad", "haproxy")
        return run_action({"files": [entry]}, variables, DataLoader())["/x"].text


def test_people_without_a_certificate_are_let_in_where_none_is_required(made: Edge) -> None:
    text = made(
        "{{ edge.frontend('viewer', 'dicomweb-tls', certificate='web', action='request', mode='http', "
        "client='optional', fields={'user': '[var(txn.user)]'}, idle='10m') }}\n"
        "{{ edge.peers('viewer', 8, mode='http', client='optional') }}\n"
        "{{ edge.caller_is_declared(mode='http', client='optional') }}\n"
        "{{ edge.application('viewer', 'http', mode='http', client='optional') }}\n"
    )
    assert "verify optional crl-file" in text
    assert "timeout client 10m" in text
    assert "track-sc0 src table viewer-application" in text
    assert "stick-table type ip " in text
    assert "str(unlisted) if { ssl_c_used } !{ var(sess.address) -m found }" in text
    assert "wrong-profile" not in text
    assert "%(user)[var(txn.user)]" in text


def test_rules_of_an_edge_stand_before_those_that_all_have(made: Edge) -> None:
    text = made(
        "{% call edge.frontend('x', 'hl7-tls', certificate='c', action='connect') %}\n"
        "    tcp-request connection reject if { nbsrv(y) eq 0 }\n"
        "{% endcall %}\n"
    )
    assert text.index("tcp-request connection") < text.index("tcp-request session")
    assert all(line.startswith(("    ", "frontend x")) for line in text.splitlines() if line)


def test_a_service_that_the_host_does_not_offer_is_a_mistake(made: Edge) -> None:
    with pytest.raises(Exception, match="no-such-service"):
        made("{{ edge.frontend('x', 'no-such-service', certificate='c', action='connect') }}")


def mapped(name: str, word: str) -> str:
    """Return what HAProxy's map_reg and map_regm make of a word: the first expression that it contains."""
    for line in (FILES / name).read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        expression, value = line.split(" ", 1)
        found = re.search(expression, word)
        if found:
            return found.expand(value)
    return ""


@pytest.mark.parametrize(
    ("end", "reason", "outcome", "said"),
    [
        ("--", "", "success", ""),
        ("CD", "", "success", ""),
        ("cD", "", "success", ""),
        ("sD", "", "success", ""),
        ("LR", "", "success", ""),
        ("PR", "unlisted", "refused", "unlisted"),
        ("--", "ae-mismatch", "refused", "ae-mismatch"),  # answered by the edge itself
        ("PR", "", "refused", "malformed"),
        ("", "", "refused", "malformed"),
        ("SC", "", "failed", "unreachable"),
        ("sC", "", "failed", "unreachable"),
        ("sH", "", "failed", "broken-off"),
        ("SD", "", "failed", "broken-off"),
        ("CC", "", "failed", "caller-left"),
        ("cR", "", "failed", "caller-left"),
        ("RC", "", "failed", "edge-failed"),
        ("KD", "", "failed", "edge-failed"),
    ],
)
def test_refused_is_what_a_rule_said_no_to_and_failed_what_could_not_be_done(
    end: str, reason: str, outcome: str, said: str
) -> None:
    word = f".{end}/{reason}"
    assert (mapped("outcomes.map", word), mapped("reasons.map", word)) == (outcome, said)
