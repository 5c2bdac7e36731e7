"""What passes is a search, a retrieval or a storage of PS3.18; whatever else a path could mean does not."""

from __future__ import annotations

import pytest

from simulators.errors import ArgumentError
from simulators.gateway.asked import Kind, read


@pytest.mark.parametrize(
    ("path", "level", "study", "series"),
    [
        ("/studies", "studies", None, None),
        ("/studies?PatientName=A*&limit=5", "studies", None, None),
        ("/series", "series", None, None),
        ("/studies/1.2/series", "series", "1.2", None),
        ("/studies/1.2/instances", "instances", "1.2", None),
        ("/studies/1.2/series/1.3/instances", "instances", "1.2", "1.3"),
    ],
)
def test_searches(path: str, level: str, study: str | None, series: str | None) -> None:
    asked = read("GET", f"/dicom-web{path}")
    assert (asked.kind, asked.level, asked.study, asked.series) == (Kind.SEARCH, level, study, series)


@pytest.mark.parametrize(
    ("path", "level"),
    [
        ("/studies/1.2", "studies"),
        ("/studies/1.2/metadata", "studies"),
        ("/studies/1.2/series/1.3/metadata", "series"),
        ("/studies/1.2/series/1.3/instances/1.4", "instances"),
        ("/studies/1.2/series/1.3/instances/1.4/metadata", "instances"),
        ("/studies/1.2/series/1.3/instances/1.4/frames/1,2", "instances"),
        ("/studies/1.2/series/1.3/instances/1.4/bulk/7fe00010", "instances"),
    ],
)
def test_retrievals(path: str, level: str) -> None:
    asked = read("GET", f"/dicom-web{path}")
    assert (asked.kind, asked.level, asked.path) == (Kind.RETRIEVE, level, path)


def test_limit_and_offset_are_the_gateways_and_attributes_the_archives() -> None:
    asked = read("GET", "/dicom-web/studies?limit=5&offset=10&00100020=P1&includefield=all&fuzzymatching=true")
    assert (asked.limit, asked.offset, asked.names_patient) == (5, 10, True)
    assert asked.query == (("00100020", "P1"), ("includefield", "all"))


@pytest.mark.parametrize(
    "path",
    [
        "/studies/", "/studies/1.2/", "//studies", "/studies//1.2", "/studies/../studies", "/studies/1.2/../1.3",
        "/studies/%31.2", "/studies%2F1.2", "/studies/1.2;v=1", "/studies/1.2/rendered", "/studies/1.2/thumbnail",
        "/studies/1.2/series/1.3/rendered", "/studies/1.2/series/1.3/instances/1.4/frames/1/rendered",
        "/studies/1.2/series/1.3/instances/1.4/frames/1/metadata", "/studies/1..2", "/studies/.1", "/studies/1.2\\1.3",
        "/studies/" + "1" * 65, "/wado?requestType=WADO", "/instances/1.4", "/series/1.3/instances",
        "/app/explorer.html",
        "/studies/1.2?includefield=all", "/studies?limit=-1", "/studies?limit=5&limit=6", "/studies?_method=DELETE",
        "/studies?PatientName=%00", "/studies?PatientName=%FF", "/studies?includefield=../x", "/studies?a&b",
        "/studies?=x", "/studies?includefield=0010;0020",
    ],
)  # fmt: skip
def test_everything_else_stays_outside(path: str) -> None:
    with pytest.raises(ArgumentError):
        read("GET", f"/dicom-web{path}")


@pytest.mark.parametrize(
    "path", ["/studies", "/dicom-webs/studies", "/DICOM-WEB/studies", "/", "", "*", "http://a/dicom-web/studies"]
)
def test_what_is_not_below_dicom_web_stays_outside(path: str) -> None:
    with pytest.raises(ArgumentError):
        read("GET", path)


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get"])
def test_other_methods_stay_outside(method: str) -> None:
    with pytest.raises(ArgumentError):
        read(method, "/dicom-web/studies")


def test_objects_are_added_to_all_studies_or_to_one() -> None:
    assert read("POST", "/dicom-web/studies").kind is Kind.STORE
    assert read("POST", "/dicom-web/studies/1.2").study == "1.2"
    for path in ("/studies?x=y", "/studies/1.2/series", "/series"):
        with pytest.raises(ArgumentError):
            read("POST", f"/dicom-web{path}")
