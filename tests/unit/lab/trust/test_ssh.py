"""SSH certificates are what OpenSSH's own tools read in them; what was revoked, they find in the list."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import yaml

from lab.errors import UsageError
from lab.trust import ensure_pki
from lab.trust.files import TrustError
from lab.trust.ssh import USERS, Issued, give, issued, load_ssh_authority, revoke_ssh
from lab.trust.ssh_authority import Grant, new_key, private_key
from tests.unit.lab.trust.sites import CATALOG, TOPOLOGY
from tests.unit.site_builder import build_site

if TYPE_CHECKING:
    from pathlib import Path

    from lab.topology.site import Site

SERVICE = {
    "port": 22,
    "unit": "ssh.socket",
    "remedy": "Look",
    "provides": "administration",
    "account": "administrator",
}
GRANT = Grant("anna", "a full disk", ("administrator",), ("10.0.10.11",), timedelta(minutes=5))


def site(*, domain: str = "tiny.internal", without: str = "") -> Site:
    data = yaml.safe_load(TOPOLOGY)
    data["domain"] = domain
    for name in ("pacs1", "ct1"):
        data["hosts"][name]["roles"].append("ssh")
    data["hosts"].pop(without, None)
    data["flows"] = [flow for flow in data["flows"] if without not in {flow["from"], flow["to"]} or not without]
    return build_site(data, {**CATALOG, "ssh": {"summary": "SSH", "services": {"ssh": SERVICE}}})


@pytest.fixture
def pki(tmp_path: Path) -> Path:
    ensure_pki(site(), tmp_path)
    return tmp_path / "pki"


def keygen(*words: str | Path) -> str:
    """What ssh-keygen says, whether or not it likes what it sees."""
    done = subprocess.run(["ssh-keygen", *words], capture_output=True, text=True, check=False, env={"TZ": "UTC"})
    return done.stdout + done.stderr


def given(pki: Path, folder: Path, grant: Grant = GRANT) -> tuple[Path, Issued]:
    """A certificate in a file, and its entry."""
    certificate, entry = give(pki, new_key().public_key(), grant)
    path = folder / f"{entry.serial}-cert.pub"
    path.write_bytes(certificate)
    return path, entry


def test_a_hosts_certificate_is_for_its_names_and_for_hosts(pki: Path) -> None:
    said = keygen("-L", "-f", pki / "hosts" / "pacs1" / "ssh-cert.pub")
    assert "ssh-ed25519-cert-v01@openssh.com host certificate" in said
    principals = said.partition("Principals:")[2].partition("Critical")[0].split()
    assert principals == ["pacs1.tiny.internal", "pacs1", "10.0.10.12"]


def test_a_hosts_key_belongs_to_its_certificate(pki: Path) -> None:
    folder = pki / "hosts" / "pacs1"
    public = keygen("-y", "-f", folder / "ssh.key").split()[1]
    assert keygen("-l", "-f", folder / "ssh-cert.pub").split()[1] == keygen_of(public, folder)
    assert (folder / "ssh.key").stat().st_mode & 0o777 == 0o600


def keygen_of(public: str, folder: Path) -> str:
    (folder / "public").write_text(f"ssh-ed25519 {public}\n")
    return keygen("-l", "-f", folder / "public").split()[1]


def test_only_hosts_that_are_administered_have_one(pki: Path) -> None:
    assert {path.parent.name for path in pki.glob("hosts/*/ssh.key")} == {"pacs1", "ct1"}


def test_a_site_without_administration_has_no_ssh_authority(tmp_path: Path) -> None:
    ensure_pki(build_site(yaml.safe_load(TOPOLOGY), CATALOG), tmp_path)
    assert not list((tmp_path / "pki").glob("ssh*"))


def test_a_second_run_changes_nothing(pki: Path) -> None:
    before = {path: path.read_bytes() for path in pki.rglob("*") if path.is_file()}
    assert not ensure_pki(site(), pki.parent)
    assert {path: path.read_bytes() for path in pki.rglob("*") if path.is_file()} == before


def test_a_host_of_another_name_gets_another_certificate(pki: Path) -> None:
    assert "pacs1/ssh" in ensure_pki(site(domain="other.internal"), pki.parent).issued
    assert "pacs1.other.internal" in keygen("-L", "-f", pki / "hosts" / "pacs1" / "ssh-cert.pub")


def test_an_authority_that_was_made_again_signs_every_host_again(pki: Path) -> None:
    (pki / "ssh-hosts.pub").unlink()
    assert set(ensure_pki(site(), pki.parent).issued) == {"pacs1/ssh", "ct1/ssh"}


def test_the_key_of_a_removed_host_goes(pki: Path) -> None:
    ensure_pki(site(without="ct1"), pki.parent)
    assert not (pki / "hosts" / "ct1").exists()


def test_a_persons_certificate_says_who_why_as_whom_from_where_and_allows_a_terminal_alone(
    pki: Path, tmp_path: Path
) -> None:
    path, entry = given(pki, tmp_path)
    said = keygen("-L", "-f", path)
    assert "user certificate" in said
    assert 'Key ID: "anna: a full disk"' in said
    assert f"Serial: {entry.serial}" in said
    assert said.partition("Principals:")[2].partition("Critical")[0].split() == ["administrator"]
    assert said.partition("Critical Options:")[2].partition("Extensions")[0].split() == ["source-address", "10.0.10.11"]
    assert said.partition("Extensions:")[2].split() == ["permit-pty"]


def test_a_persons_certificate_is_good_for_as_long_as_granted(pki: Path, tmp_path: Path) -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    certificate, _ = give(pki, new_key().public_key(), GRANT, moment)
    (tmp_path / "x-cert.pub").write_bytes(certificate)
    assert "Valid: from 2026-03-01T11:55:00 to 2026-03-01T12:05:00" in keygen("-L", "-f", tmp_path / "x-cert.pub")


def test_hosts_and_people_have_different_authorities(pki: Path) -> None:
    assert (pki / "ssh-hosts.pub").read_text().split()[1] != (pki / "ssh-users.pub").read_text().split()[1]


@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(minutes=-1), timedelta(hours=13)])
def test_a_certificate_is_good_for_a_working_day_at_most(pki: Path, lifetime: timedelta) -> None:
    grant = Grant("anna", "a full disk", ("administrator",), ("10.0.10.11",), lifetime)
    with pytest.raises(UsageError, match="cannot last"):
        give(pki, new_key().public_key(), grant)


@pytest.mark.parametrize("words", ["", " ", "two\nlines", "\x1b[2J", "x" * 121])
def test_words_that_would_spoil_a_log_are_refused(pki: Path, words: str) -> None:
    for grant in (
        Grant(words, "a full disk", ("administrator",), ("10.0.10.11",), GRANT.lifetime),
        Grant("anna", words, ("administrator",), ("10.0.10.11",), GRANT.lifetime),
    ):
        with pytest.raises(UsageError, match="cannot stand in a host's log"):
            give(pki, new_key().public_key(), grant)


def test_nothing_is_revoked_at_first(pki: Path, tmp_path: Path) -> None:
    path, _ = given(pki, tmp_path)
    assert keygen("-Q", "-f", pki / "ssh-revoked", path).endswith(": ok\n")


def test_a_revoked_certificate_is_in_the_list_and_no_other(pki: Path, tmp_path: Path) -> None:
    (first, _), (second, entry), (third, other) = (given(pki, tmp_path) for _ in range(3))
    revoke_ssh(pki, entry.serial)
    revoke_ssh(pki, other.serial)
    said = {path: keygen("-Q", "-f", pki / "ssh-revoked", path) for path in (first, second, third)}
    assert said[first].endswith(": ok\n")
    assert said[second].endswith(": REVOKED\n")
    assert said[third].endswith(": REVOKED\n")
    assert [known.revoked is None for known in issued(pki)] == [True, False, False]


def test_what_was_never_given_cannot_be_revoked(pki: Path) -> None:
    with pytest.raises(UsageError, match="No certificate of number 7"):
        revoke_ssh(pki, 7)


def test_what_ended_long_ago_leaves_the_list(pki: Path, tmp_path: Path) -> None:
    give(pki, new_key().public_key(), GRANT, datetime.now(UTC) - timedelta(days=60))
    _, entry = given(pki, tmp_path)
    assert [known.serial for known in issued(pki)] == [entry.serial]


def test_a_damaged_authority_is_told(pki: Path) -> None:
    (pki / f"{USERS}.key").write_text("no key")
    with pytest.raises(TrustError, match="cannot be read as an SSH key"):
        give(pki, new_key().public_key(), GRANT)


def test_an_authority_keeps_its_name(pki: Path) -> None:
    authority = load_ssh_authority(pki, USERS)
    assert authority.line() == (pki / f"{USERS}.pub").read_text().strip()
    assert private_key(authority.key).startswith(b"-----BEGIN OPENSSH PRIVATE KEY-----")
