"""Profiles give hosts the roles that they share; a mistake in one is reported once, where it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.topology.load import load_site, site_names, site_path
from tests.unit.lab.topology.sites import SITE, change, line_of, mistakes, tiny_site

if TYPE_CHECKING:
    from pathlib import Path

PROFILES = """\
profiles:
  managed: [base]
  scanner: ['profile:managed', scanner]
hosts:
  fw1:
"""
WITH = change("hosts:\n  fw1:\n", PROFILES)
WITH = change("    roles: [base, scanner]\n    ae_title: CT1", "    profile: scanner\n    ae_title: CT1", WITH)
WITH = change("    roles: [base, archive]\n", "    profile: managed\n    roles: [archive]\n", WITH)


def test_a_host_has_the_roles_of_its_profile_and_then_its_own(tmp_path: Path) -> None:
    site = tiny_site(tmp_path, WITH)
    assert {name: host.roles for name, host in site.hosts.items()} == {
        "fw1": ["base"],
        "pacs1": ["base", "archive"],
        "ct1": ["base", "scanner"],
        "ct2": ["base", "scanner"],
    }


def test_flows_of_a_role_are_those_of_hosts_that_have_it_by_their_profile(tmp_path: Path) -> None:
    (tmp_path / "without").mkdir()
    assert tiny_site(tmp_path, WITH).flows == tiny_site(tmp_path / "without", SITE).flows


@pytest.mark.parametrize("name", site_names())
def test_a_role_for_every_managed_host_is_one_line(name: str, tmp_path: Path) -> None:
    text = site_path(name).read_text("utf-8")
    text = change("ssh_server]", "ssh_server, haproxy]", text).replace("roles: [haproxy, mail]", "roles: [mail]")
    path = tmp_path / "topology.yml"
    path.write_text(change(", python_runtime, haproxy]", ", python_runtime]", text), "utf-8")
    before, after = load_site(site_path(name)), load_site(path)
    having = [host for host, entry in before.hosts.items() if "log_forwarder" in entry.roles]
    assert [host for host in having if "haproxy" in after.hosts[host].roles] == having
    assert [host for host in having if "haproxy" in before.hosts[host].roles] != having


MISTAKES = {
    # name: (old, new, text on whose line it is reported, message, remedy)
    "unknown profile": ("profile: managed\n", "profile: manged\n", "manged", "profile manged", "Did you mean managed?"),
    "role as profile": ("profile: managed\n", "profile: archive\n", "profile: archive", "archive", "archive is a role"),
    "unknown include": ("profile:managed", "profile:mangd", "mangd", "takes in profile mangd", "Did you mean managed?"),
    "unknown role in a profile": (
        "scanner]\nh",
        "scaner]\nh",
        "scaner]",
        "Profile scanner has role scaner",
        "scanner?",
    ),
    "role twice": (
        "roles: [archive]",
        "roles: [base, archive]",
        "[base, archive]",
        "pacs1 has role base twice",
        "Remove",
    ),
    "role twice in a profile": (
        "managed: [base]",
        "managed: [base, base]",
        "[base, base]",
        "managed has role base twice",
        "",
    ),
    "circle": (
        "managed: [base]",
        "managed: ['profile:scanner']",
        "managed: [",
        "managed -> scanner -> managed",
        "Remove",
    ),
    "itself": ("managed: [base]", "managed: ['profile:managed']", "managed: [", "managed -> managed", "Remove"),
    "no role": ("    profile: managed\n    roles: [archive]\n", "", "pacs1:", "pacs1 has no role", "managed, scanner"),
    "empty profile": ("managed: [base]", "managed: []", "managed: []", "at least 1 item", "roles that hosts share"),
    "no list": ("managed: [base]", "managed: base", "managed: base", "valid list", "roles that hosts share"),
    "no role's name": ("managed: [base]", "managed: [Base]", "[Base]", "'Base' cannot stand here", "profile:NAME"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_reported_once_with_line_and_remedy(name: str, tmp_path: Path) -> None:
    old, new, marker, message, remedy = MISTAKES[name]
    text = change(old, new, WITH)
    (problem,) = [mistake for mistake in mistakes(tmp_path, text) if message in mistake.message]
    assert problem.line == line_of(text, marker)
    assert remedy in problem.remedy


@pytest.mark.parametrize(
    "name", ["unknown profile", "role as profile", "unknown include", "circle", "itself", "no list"]
)
def test_a_profile_that_does_not_resolve_is_not_reported_by_what_its_hosts_lack(name: str, tmp_path: Path) -> None:
    old, new, *_ = MISTAKES[name]
    assert len(mistakes(tmp_path, change(old, new, WITH))) == 1


def test_a_role_before_one_that_it_builds_on_is_reported(tmp_path: Path) -> None:
    text = change("scanner: ['profile:managed', scanner]", "scanner: [scanner, 'profile:managed']", WITH)
    found = mistakes(tmp_path, text)
    assert [(problem.line, "scanner before base" in problem.message) for problem in found] == [
        (line_of(text, "[scanner, "), True)
    ]
