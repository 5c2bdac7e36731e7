"""What a forward serves is understood from its words, and it listens on loopback alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.engine.lab import Lab
from lab.errors import UsageError
from lab.operate.forward import listen, parse_target
from lab.topology.load import site_path

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """A lab as it is described; none runs."""
    return Lab.describe("x", site_path("reference"), tmp_path)


@pytest.mark.parametrize(("text", "port"), [("pacs-rad:2762", 2762), ("pacs-rad:dicomweb-tls", 8443)])
def test_a_port_or_a_services_name_is_a_target(lab: Lab, text: str, port: int) -> None:
    target = parse_target(lab, text, "ws-rad1")
    assert (target.host, target.port, target.workstation) == ("pacs-rad", port, "ws-rad1")


@pytest.mark.parametrize("text", ["pacs-rad", "pacs-rad:", "pacs-rad:0", "pacs-rad:65536", "pacs-rad:nothing", "x:80"])
def test_anything_else_is_refused(lab: Lab, text: str) -> None:
    with pytest.raises(UsageError):
        parse_target(lab, text, "ws-rad1")


def test_a_workstation_that_is_not_there_is_refused(lab: Lab) -> None:
    with pytest.raises(UsageError, match="ws-rad9"):
        parse_target(lab, "pacs-rad:2762", "ws-rad9")


def test_it_listens_on_loopback_alone_and_says_when_a_port_is_taken() -> None:
    with listen(0) as taken:
        address, port = taken.getsockname()
        assert address == "127.0.0.1"
        with pytest.raises(UsageError) as raised:
            listen(port)
        assert "--local" in raised.value.remedy
