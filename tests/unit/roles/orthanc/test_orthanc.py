"""Orthanc lets each peer do what the site's flows permit, and nobody anything else."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from pydicom._uid_dict import UID_dictionary
from pydicom.uid import UID

from tests.unit.roles.rendered import REFERENCE, SMALL_PRACTICE, files_of, rendered_template, variables_of

if TYPE_CHECKING:
    from lab.topology import Site

EVERY_ARCHIVE = [
    (site, name) for site in (REFERENCE, SMALL_PRACTICE) for name, host in site.hosts.items() if "orthanc" in host.roles
]
DEFLATED = variables_of(REFERENCE, "pacs-rad", "orthanc")["orthanc_deflated_syntaxes"]
ALLOWS = {
    "AllowEcho": {"C-ECHO"},
    "AllowStore": {"C-STORE", "REJECTION"},
    "AllowFind": {"C-FIND"},
    "AllowGet": {"C-GET"},
    "AllowMove": {"C-MOVE"},
    "AllowNAction": {"N-ACTION"},
    "AllowEventReport": {"N-EVENT-REPORT"},
}


def orthanc(site: Site, host: str) -> dict[str, Any]:
    """Return the configuration of a host's Orthanc."""
    data: dict[str, Any] = json.loads(files_of(site, host, "orthanc")["/etc/orthanc/pacslab.json"].text)
    return data


@pytest.fixture(params=EVERY_ARCHIVE, ids=lambda one: f"{one[0].name}-{one[1]}")
def archive(request: pytest.FixtureRequest) -> tuple[Site, str]:
    """Every archive of every site."""
    found: tuple[Site, str] = request.param
    return found


def test_a_peer_may_do_what_its_flow_permits_and_nothing_else(archive: tuple[Site, str]) -> None:
    site, host = archive
    permits = {flow.source: flow.permits for flow in site.flows_in(host) if flow.service == "dicom-tls"}
    for name, peer in orthanc(site, host)["DicomModalities"].items():
        for option, operation in ALLOWS.items():
            assert peer[option] is bool(operation & {*permits.get(name, ())}), (name, option)
        assert peer["AllowFindWorklist"] is False


def test_only_hosts_of_the_sites_flows_are_peers(archive: tuple[Site, str]) -> None:
    site, host = archive
    flows = [flow for flow in site.flows if flow.service == "dicom-tls" and host in {flow.source, flow.target}]
    expected = {flow.source for flow in flows} | {flow.target for flow in flows}
    assert set(orthanc(site, host)["DicomModalities"]) == expected - {host}


def test_every_peer_is_reached_through_the_edge_on_loopback(archive: tuple[Site, str]) -> None:
    site, host = archive
    edge = files_of(site, host, "dicom_edge")["/etc/haproxy/conf.d/20-dicom.cfg"].text
    peers = orthanc(site, host)["DicomModalities"]
    assert {peer["Host"] for peer in peers.values()} == {"127.0.0.1"}
    for flow in site.flows_out(host):
        if flow.service == "dicom-tls":
            listener = edge.split(f"listen dicom-to-{flow.target}\n")[1].split("\nlisten ")[0]
            assert f"bind 127.0.0.1:{peers[flow.target]['Port']}\n" in listener
            assert f"verifyhost dicom-service.{site.fqdn(flow.target)} " in listener


HARDENED = {
    "DicomCheckCalledAet": True,
    "StrictAetComparison": True,
    "DicomCheckModalityHost": True,
    "DicomAlwaysAllowEcho": False,
    "DicomAlwaysAllowStore": False,
    "DicomAlwaysAllowFind": False,
    "DicomAlwaysAllowFindWorklist": False,
    "DicomAlwaysAllowGet": False,
    "DicomAlwaysAllowMove": False,
    "DicomModalitiesInDatabase": False,
    "OverwriteInstances": False,
    "UnknownSopClassAccepted": False,
    "AuthenticationEnabled": True,
    "RemoteAccessAllowed": False,
    "OrthancExplorerEnabled": False,
    "WebDavEnabled": False,
    "ExecuteLuaEnabled": False,
    "RestApiWriteToFileSystemEnabled": False,
    "HttpDescribeErrors": False,
    "SyncStorageArea": True,
    "DeidentifyLogs": True,
}


def test_insecure_defaults_are_off(archive: tuple[Site, str]) -> None:
    settings = orthanc(*archive)
    assert {name: settings[name] for name in HARDENED} == HARDENED
    assert settings["LimitFindResults"] > 0


def test_no_empty_list_of_dictionaries_breaks_every_store(archive: tuple[Site, str]) -> None:
    assert "ExternalDictionaries" not in orthanc(*archive)


def test_deflated_objects_which_may_be_bombs_are_not_taken(archive: tuple[Site, str]) -> None:
    syntaxes = orthanc(*archive)["AcceptedTransferSyntaxes"]
    assert "1.2.840.10008.1.2.1.99" not in syntaxes
    assert all(re.fullmatch(r"[0-9.]+", syntax) for syntax in syntaxes)


def test_the_index_is_opened_by_certificate_and_the_server_is_verified(archive: tuple[Site, str]) -> None:
    uri = orthanc(*archive)["PostgreSQL"]["ConnectionUri"]
    assert "sslmode=verify-full" in uri
    assert all(f"ssl{part}=/etc/pacslab/tls/" in uri for part in ("cert", "key", "rootcert", "crl"))
    assert "password" not in uri


NOT_KNOWN = {
    "1.2.840.10008.1.2.1.98",  # Encapsulated Uncompressed: Orthanc cannot send it on
    "1.2.840.10008.1.2.4.94",  # JPIP: the pixels are elsewhere
    "1.2.840.10008.1.2.4.204",
}
"""Transfer syntaxes of images in an object, besides deflated ones, that no archive takes."""


def is_of_images(uid: str) -> bool:
    """Whether a transfer syntax is a current one of objects that hold their pixels, in a form that Orthanc names."""
    fragmentable = uid.startswith("1.2.840.10008.1.2.4.10") and uid.endswith(".1")
    streamed = uid.startswith(("1.2.840.10008.1.2.6", "1.2.840.10008.1.2.7"))
    return not (fragmentable or streamed or UID(uid).is_retired)


def test_every_encoding_of_images_of_the_standard_is_taken_but_what_unfolds(archive: tuple[Site, str]) -> None:
    current = {uid for uid, entry in UID_dictionary.items() if entry[1] == "Transfer Syntax" and is_of_images(uid)}
    jpeg_xl = {f"1.2.840.10008.1.2.4.11{number}" for number in range(3)}  # PS3.5 2024d: younger than this dictionary
    taken = set(orthanc(*archive)["AcceptedTransferSyntaxes"])
    assert taken == (current | jpeg_xl) - set(DEFLATED) - NOT_KNOWN


def test_private_storage_classes_are_taken_by_name_alone(archive: tuple[Site, str]) -> None:
    told = orthanc(*archive)
    assert (told["UnknownSopClassAccepted"], told["AcceptedSopClasses"]) == (False, ["1.2.840.10008.5.1.4.*"])
    text = rendered_template(
        *archive, "orthanc", "orthanc.json.j2", orthanc_private_sop_classes=["1.2.826.0.1.3680043.9.99.1"]
    )
    assert json.loads(text)["AcceptedSopClasses"] == ["1.2.840.10008.5.1.4.*", "1.2.826.0.1.3680043.9.99.1"]
