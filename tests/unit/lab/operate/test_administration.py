"""What an administrator's client is given reaches the hosts of the flows, and trusts one authority about them."""

from __future__ import annotations

import getpass
import subprocess
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from lab.engine.lab import Lab
from lab.errors import UsageError
from lab.events import Bus, CertificateGiven
from lab.operate.administration import Wish, open_door, person, way_to, ways
from lab.topology.load import site_path
from lab.trust import ensure_pki
from tests.unit.lab.trust.sites import tiny_site
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from pathlib import Path

    from lab.events import Event

WISH = Wish("anna", "a full disk", "", timedelta(minutes=5))
SMALL = "small-practice"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A lab as it is described, with its PKI; none runs."""
    folder = tmp_path_factory.mktemp("state") / "small"
    found = Lab.describe("small", site_path(SMALL), folder)
    ensure_pki(found.site, folder)
    return found


def client(config: Path, host: str) -> dict[str, str]:
    """What OpenSSH makes of a configuration."""
    said = subprocess.run(["ssh", "-G", "-F", config, host], capture_output=True, text=True, check=True).stdout
    return dict(line.partition(" ")[::2] for line in said.splitlines())


def test_every_host_that_a_flow_names_is_reached_from_its_source(lab: Lab) -> None:
    flows = ways(lab.site)
    assert {flow.source for flow in flows} == {"srv1"}
    assert {flow.target for flow in flows} == {"gw1", "pacs1", "ris1", "us1", "ws1"}
    assert way_to(flows, "pacs1").port == 22


def test_the_reference_site_is_administered_from_one_place_and_only_what_it_answers_for() -> None:
    site = committed_site("reference")
    (source,) = site.with_function("administration")
    answered_for = {name for name, host in site.managed.items() if "trust" in host.roles}
    assert {flow.target for flow in ways(site)} == answered_for - {source}


def test_a_host_that_no_flow_names_is_refused(lab: Lab) -> None:
    flows = ways(lab.site)
    with pytest.raises(UsageError, match="No flow lets srv1 administer 'srv1'"):
        way_to(flows, "srv1")
    with pytest.raises(UsageError, match="'pacs1' is no host to administer others from"):
        ways(lab.site, "pacs1")
    with pytest.raises(UsageError, match="lets nobody administer"):
        ways(tiny_site())


def test_the_client_comes_in_as_the_account_with_its_certificate_and_nothing_else(lab: Lab, tmp_path: Path) -> None:
    open_door(lab, ways(lab.site), WISH, tmp_path / "with spaces", Bus())
    folder = tmp_path / "with spaces"
    said = client(folder / "config", "pacs1")
    assert said["user"] == "administrator"
    assert said["hostname"] == said["hostkeyalias"] == "pacs1.practice.internal"
    assert said["proxycommand"].endswith("forward pacs1:22 --as srv1 --lab small --stdio")
    assert (said["identitiesonly"], said["identityagent"]) == ("yes", "none")
    assert (said["stricthostkeychecking"], said["updatehostkeys"]) == ("true", "false")
    assert (said["forwardagent"], said["forwardx11"], said["clearallforwardings"]) == ("no", "no", "yes")
    assert said["identityfile"] == f"{folder}/key"
    assert said["userknownhostsfile"] == f"{folder}/known_hosts"


def test_what_the_client_is_given_is_readable_by_its_owner_alone(lab: Lab, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    open_door(lab, ways(lab.site), WISH, folder, Bus())
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == dict.fromkeys(
        ("config", "key", "key-cert.pub", "known_hosts"), 0o600
    )


def test_the_certificate_is_for_the_source_and_is_told_to_the_lab(lab: Lab, tmp_path: Path) -> None:
    told: list[Event] = []
    bus = Bus()
    bus.subscribe(told.append)
    entry = open_door(lab, ways(lab.site), WISH, tmp_path, bus)
    (event,) = told
    assert isinstance(event, CertificateGiven)
    assert (event.serial, event.person, event.reason) == (entry.serial, "anna", "a full disk")
    assert event.principals == ("administrator",)
    assert event.sources == (str(lab.site.hosts["srv1"].address),)


def test_another_principal_is_put_in_the_certificate_and_the_account_stays(lab: Lab, tmp_path: Path) -> None:
    wish = Wish("anna", "a full disk", "anna", timedelta(minutes=5))
    entry = open_door(lab, ways(lab.site), wish, tmp_path, Bus())
    assert entry.principals == ["anna"]
    assert client(tmp_path / "config", "ris1")["user"] == "administrator"


def test_who_asks_is_the_account_behind_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    assert person() == getpass.getuser()
    monkeypatch.setenv("SUDO_USER", "anna")
    assert person() == "anna"
