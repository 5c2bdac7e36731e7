"""A workstation works with the archive that is named, or the primary one; the order of the file says nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from simulators.errors import ArgumentError, NotFoundError
from simulators.settings import Settings, parse
from simulators.workstation import desk
from simulators.workstation.desk import desk_of
from tests.unit.simulators.peers import peer

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.fixture(autouse=True)
def _without_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "client_context", lambda *_: None)


def settings(peers: Sequence[dict[str, Any]]) -> Settings:
    return parse(
        {
            "host": {"name": "ws1", "fqdn": "ws1.x", "address": "127.0.0.1", "ae_title": "WS1"},
            "site": {"name": "x", "domain": "x"},
            "tls": {"ca": "/none", "crl": "/none", "certificates": {}},
            "listen": {},
            "peers": peers,
            "callers": [],
        }
    )


def archive(name: str, *functions: str, permits: tuple[str, ...] = ("C-FIND",)) -> dict[str, Any]:
    return {**peer(name, "dicom-tls", "orthanc", list(permits)), "functions": list(functions)}


CARD, RAD, VNA = archive("card", "cardiology-archive"), archive("rad", "primary-archive"), archive("vna")


@pytest.mark.parametrize("peers", [[CARD, RAD, VNA], [VNA, RAD, CARD]])
def test_the_primary_archive_is_meant_wherever_it_stands(peers: list[dict[str, Any]]) -> None:
    assert desk_of(settings(peers), None, "C-FIND").archive.name == "rad"
    assert desk_of(settings(peers), "card", "C-FIND").archive.name == "card"


def test_the_only_archive_that_permits_it_is_meant_whatever_it_is() -> None:
    only = settings([RAD, archive("card", "cardiology-archive", permits=("C-STORE",))])
    assert desk_of(only, None, "C-STORE").archive.name == "card"


def test_several_without_a_primary_one_have_to_be_told_apart() -> None:
    with pytest.raises(ArgumentError, match="several archives permit C-FIND"):
        desk_of(settings([CARD, VNA]), None, "C-FIND")


def test_none_at_all_is_told() -> None:
    with pytest.raises(NotFoundError):
        desk_of(settings([RAD]), None, "C-GET")
