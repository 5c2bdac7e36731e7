"""Every mistake of a description is reported once, with its line and its remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.topology import load_site
from lab.topology.load import site_path
from lab.topology.problems import TopologyError
from tests.unit.lab.topology.mistakes import FIREWALL, MISTAKES, PACS, TOGETHER, flow
from tests.unit.lab.topology.sites import SITE, change, line_of, mistakes, tiny_site

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_reported_once_with_line_and_remedy(tmp_path: Path, name: str) -> None:
    mistake = MISTAKES[name]
    text = change(mistake.old, mistake.new)
    if name == "empty zone":
        text = change(*flow("zone:empty", "pacs1", "web"), text)
    found = [problem for problem in mistakes(tmp_path, text) if mistake.message in problem.message]
    assert len(found) == 1
    assert found[0].line == (line_of(text, mistake.marker) if mistake.marker else 0)
    assert mistake.remedy in found[0].remedy


@pytest.mark.parametrize("name", sorted(MISTAKES.keys() - TOGETHER))
def test_one_mistake_is_not_reported_as_two(tmp_path: Path, name: str) -> None:
    mistake = MISTAKES[name]
    assert len(mistakes(tmp_path, change(mistake.old, mistake.new))) == 1


def test_the_site_that_the_mistakes_are_made_in_has_none(tmp_path: Path) -> None:
    assert tiny_site(tmp_path).name == "tiny"


def test_all_mistakes_are_reported_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = change("vlan: 20", "vlan: 10")
    text = change("ae_title: CT1", "ae_title: ct1", text)
    text = change("address: 10.0.20.12", "address: 10.0.99.12", text)
    text = change("service: web", "service: wbe", text)
    found = mistakes(tmp_path, text)
    assert [mistake.line for mistake in found] == [
        line_of(text, "vlan: 10\n    subnet: 10.0.20"),
        line_of(text, "ae_title: ct1"),
        line_of(text, "10.0.99.12"),
        line_of(text, "service: wbe"),
    ]


def test_second_gateway_is_refused(tmp_path: Path) -> None:
    second = FIREWALL.replace("fw1", "fw2").replace("core", "scanners").replace("10.0.10.1", "10.0.20.1")
    text = change("  ct1:\n", second + "  ct1:\n")
    (problem,) = mistakes(tmp_path, text)
    assert "fw2 is a second gateway; fw1 is one already (line 18)" in problem.message


def test_a_second_host_of_a_function_that_one_has_is_refused(tmp_path: Path) -> None:
    second = PACS.replace("pacs1", "pacs2").replace("PACS1", "PACS2").replace("10.0.10.11", "10.0.10.12")
    text = change("  ct1:\n", second + "  ct1:\n")
    (problem,) = mistakes(tmp_path, text)
    assert "pacs2 is a second primary-archive; pacs1 is one already (line 26)" in problem.message
    assert problem.line == line_of(text, "  pacs2:") + 5


def test_two_services_of_a_host_on_one_port_are_refused(tmp_path: Path) -> None:
    found = mistakes(tmp_path, change("[base, archive]", "[base, archive, scanner]"))
    clash = next(mistake for mistake in found if "port" in mistake.message)
    assert "dicom-tls (role archive) and results (role scanner) of pacs1 both open tcp port 2762" in clash.message
    assert clash.line == line_of(SITE, "[base, archive]")


def test_two_different_certificates_of_one_name_on_a_host_are_refused(tmp_path: Path) -> None:
    found = mistakes(tmp_path, change("[base, archive]", "[base, archive, scanner]"))
    assert any("bring two different certificates called dicom" in mistake.message for mistake in found)


def test_mistake_in_a_roles_file_is_reported_there(tmp_path: Path) -> None:
    path = tmp_path / "topology.yml"
    path.write_text(SITE, "utf-8")
    meta = tmp_path / "roles" / "base" / "meta" / "pacslab.yml"
    meta.parent.mkdir(parents=True)
    meta.write_text("summary: x\nservices:\n  web: {unit: a.service, probe: {kind: tcp}, remedy: Look}\n", "utf-8")
    with pytest.raises(TopologyError) as caught:
        load_site(path, tmp_path / "roles")
    (problem,) = [mistake for mistake in caught.value.problems if mistake.path == meta]
    assert (problem.line, "tcp probe needs a tcp port" in problem.message) == (3, True)


def test_missing_site_lists_those_that_exist(tmp_path: Path) -> None:
    (tmp_path / "clinic").mkdir()
    (tmp_path / "clinic" / "topology.yml").write_text(SITE, "utf-8")
    with pytest.raises(TopologyError) as caught:
        site_path("clinc", tmp_path)
    assert "Did you mean clinic? Sites that exist: clinic." in str(caught.value)


def test_copied_folder_must_change_the_sites_name(tmp_path: Path) -> None:
    folder = tmp_path / "inventories" / "copy"
    folder.mkdir(parents=True)
    (problem,) = mistakes(folder, SITE)
    assert "called tiny, but its folder copy" in problem.message


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just text\n"])
def test_file_that_is_no_description_is_refused(tmp_path: Path, text: str) -> None:
    (problem,) = mistakes(tmp_path, text)
    assert "no site's description" in problem.message


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "topology.yml"
    path.write_bytes(b"site: \xff\xfe")
    with pytest.raises(TopologyError, match="Not UTF-8"):
        load_site(path)


def test_error_says_file_and_line_as_compilers_do_and_ends_with_2(tmp_path: Path) -> None:
    with pytest.raises(TopologyError) as caught:
        tiny_site(tmp_path, change("vlan: 20", "vlan: 10"))
    assert f"{tmp_path}/topology.yml:10: Zone scanners has VLAN 10" in str(caught.value)
    assert caught.value.exit_code == 2
    assert caught.value.as_dict()["problems"] == [
        {
            "file": f"{tmp_path}/topology.yml",
            "line": 10,
            "message": "Zone scanners has VLAN 10, which zone core has too (line 6).",
            "remedy": "Give it a number of its own, such as 11.",
        }
    ]
