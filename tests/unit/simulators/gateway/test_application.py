"""Each person gets what the person may see, in results, counts, pages and parts; the rest is refused and told."""

from __future__ import annotations

import asyncio
import json
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from simulators.access import subject
from simulators.access.policy import Scope
from simulators.gateway import storing
from tests.unit.simulators.gateway.hospital import ORIGIN, FakeArchive, FakeSource, gateway, image, signed_in

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from aiohttp.test_utils import TestClient

CLINICIAN = signed_in("n.okafor", "clinician", "Surgery")
RADIOLOGIST = signed_in("a.rivera", "radiologist")
TECHNOLOGIST = signed_in("m.haddad", "technologist", Origin=ORIGIN)
RESEARCHER = signed_in("r.all", "researcher")
ADMINISTRATOR = signed_in("p.adeyemi", "administrator")


def archives() -> list[FakeArchive]:
    """Two archives: P1 is in both, P2 in the first, P3 in the second alone."""
    first = [
        image("P1", "1.1", "1.1.1", "1.1.1.1"),
        image("P1", "1.1", "1.1.1", "1.1.1.2"),
        image("P2", "1.2", "1.2.1", "1.2.1.1"),
    ]
    second = [first[0], image("P1", "1.1", "1.1.2", "1.1.2.1"), image("P3", "1.3", "1.3.1", "1.3.1.1")]
    return [FakeArchive("pacs1", first), FakeArchive("vna1", second, takes=True, stores=("1.7.1",))]


def sources() -> list[FakeSource]:
    ehr = FakeSource("ehr1", {(Scope.TREATMENT, "n.okafor"): frozenset({"P1"})})
    ris = FakeSource("ris1", {(Scope.DEPARTMENT, "Radiology"): frozenset({"P1", "P2"})})
    return [ehr, ris]


def served(
    folder: Path, test: Callable[[TestClient[Any, Any]], Awaitable[None]],
    known: list[FakeArchive] | None = None, told: list[FakeSource] | None = None,
) -> None:  # fmt: skip
    async def run() -> None:
        async with gateway(folder, known or archives(), told or sources()) as client:
            await test(client)

    asyncio.run(run())


async def uids(client: TestClient[Any, Any], headers: dict[str, str], path: str, tag: str = "0020000D") -> list[str]:
    answer = await client.get(f"/dicom-web{path}", headers=headers)
    assert answer.status == 200, await answer.text()
    return [found[tag]["Value"][0] for found in await answer.json()]


def test_a_search_finds_the_persons_own_patients_in_every_archive(tmp_path: Path) -> None:
    async def test(client: TestClient[Any, Any]) -> None:
        assert await uids(client, CLINICIAN, "/studies") == ["1.1"]
        assert await uids(client, RADIOLOGIST, "/studies") == ["1.1", "1.2"]
        assert await uids(client, RESEARCHER, "/studies") == ["1.1", "1.2", "1.3"]
        assert await uids(client, RADIOLOGIST, "/studies/1.1/series", "0020000E") == ["1.1.1", "1.1.2"]

    served(tmp_path, test)


@pytest.mark.parametrize(
    "query",
    ["PatientID=P2", "00100020=P2", "PatientID=*", "PatientName=Name%5EP2", "PatientName=*", "includefield=all",
     "StudyInstanceUID=1.2", "limit=1&offset=1", "PatientID=P2,P3", "PatientID=P1,P2"],
)  # fmt: skip
@pytest.mark.parametrize("level", ["studies", "series", "instances"])
def test_no_query_brings_another_patient(tmp_path: Path, level: str, query: str) -> None:
    async def test(client: TestClient[Any, Any]) -> None:
        answer = await client.get(f"/dicom-web/{level}?{query}", headers=CLINICIAN)
        assert {found["00100020"]["Value"][0] for found in await answer.json()} <= {"P1"}
        assert "P2" not in await answer.text()

    served(tmp_path, test)


def test_pages_are_counted_after_others_are_left_out(tmp_path: Path) -> None:
    many = [image(f"P{number}", f"1.{number}", f"1.{number}.1", f"1.{number}.1.1") for number in range(1, 301)]
    mine = frozenset(f"P{number}" for number in range(1, 301, 3))
    ris = FakeSource("ris1", {(Scope.DEPARTMENT, "Radiology"): mine})

    async def test(client: TestClient[Any, Any]) -> None:
        found = []
        for offset in range(0, 120, 40):
            page = await uids(client, RADIOLOGIST, f"/studies?limit=40&offset={offset}")
            assert len(page) == (40 if offset < 80 else 20)
            found += page
        assert found == [f"1.{number}" for number in range(1, 301, 3)]

    served(tmp_path, test, [FakeArchive("pacs1", many)], [ris])


@pytest.mark.parametrize(
    "path",
    ["/studies/1.2", "/studies/1.2/metadata", "/studies/1.2/series", "/studies/1.2/series/1.2.1/metadata",
     "/studies/1.2/series/1.2.1/instances", "/studies/1.2/series/1.2.1/instances/1.2.1.1/frames/1", "/studies/1.3",
     "/studies/9.9"],
)  # fmt: skip
def test_another_patients_study_and_one_that_is_not_there_are_refused_alike(
    tmp_path: Path, path: str, events: list[dict[str, Any]]
) -> None:
    async def test(client: TestClient[Any, Any]) -> None:
        answer = await client.get(f"/dicom-web{path}", headers=CLINICIAN)
        assert (answer.status, (await answer.json())["reason"]) == (403, "no-relation")

    served(tmp_path, test)
    (event,) = events
    assert (event["person"], event["outcome"], event["reason"]) == ("n.okafor", "refused", "no-relation")


@pytest.mark.parametrize(
    "path",
    ["/studies/1.1/series/1.2.1", "/studies/1.1/series/1.2.1/metadata", "/studies/1.1/series/1.1.1/instances/1.2.1.1",
     "/studies/1.1/series/1.2.1/instances/1.2.1.1/frames/1"],
)  # fmt: skip
def test_anothers_uid_below_an_own_study_is_not_there(tmp_path: Path, path: str) -> None:
    known = archives()

    async def test(client: TestClient[Any, Any]) -> None:
        assert (await client.get(f"/dicom-web{path}", headers=CLINICIAN)).status == 404

    served(tmp_path, test, known)
    assert not any(path in asked for archive in known for asked in archive.asked)


def test_what_is_permitted_is_retrieved_from_the_archive_that_has_it_and_told_once(
    tmp_path: Path, events: list[dict[str, Any]]
) -> None:
    async def test(client: TestClient[Any, Any]) -> None:
        for series, instance in (("1.1.1", "1.1.1.2"), ("1.1.1", "1.1.1.1"), ("1.1.2", "1.1.2.1")):
            path = f"/dicom-web/studies/1.1/series/{series}/instances/{instance}/frames/1"
            answer = await client.get(path, headers=CLINICIAN)
            assert (answer.status, await answer.text()) == (200, instance)
            assert answer.headers["Cache-Control"] == "no-store"

    served(tmp_path, test)
    assert [(event["action"], event["series"], event["patient"]) for event in events] == [
        ("person-views", "1.1.1", "P1"),
        ("person-views", "1.1.2", "P1"),
    ]


def test_metadata_names_the_viewer_and_not_the_archive(tmp_path: Path) -> None:
    async def test(client: TestClient[Any, Any]) -> None:
        answer = await client.get("/dicom-web/studies/1.1/metadata", headers=CLINICIAN)
        assert (await answer.json())[0]["00420011"]["BulkDataURI"] == f"{ORIGIN}/dicom-web/bulk"

    served(tmp_path, test)


def test_a_document_is_fetched_though_the_archive_takes_no_list_of_media_types(tmp_path: Path) -> None:
    accepted = 'multipart/related; type="application/pdf", multipart/related; type="application/octet-stream"'

    async def test(client: TestClient[Any, Any]) -> None:
        path = "/dicom-web/studies/1.1/series/1.1.1/instances/1.1.1.1/bulk/00420011"
        answer = await client.get(path, headers=CLINICIAN | {"Accept": accepted})
        assert (answer.status, await answer.text()) == (200, "1.1.1.1")
        answer = await client.get(path, headers=CLINICIAN | {"Accept": "application/pdf"})
        assert (answer.status, (await answer.json())["error"]) == (502, "RefusedError")

    served(tmp_path, test)


def test_an_archives_answer_is_no_page(tmp_path: Path) -> None:
    known = archives()
    known[0].content_type = "text/html"

    async def test(client: TestClient[Any, Any]) -> None:
        path = "/dicom-web/studies/1.1/series/1.1.1/instances/1.1.1.1/frames/1"
        assert (await client.get(path, headers=CLINICIAN)).status == 502

    served(tmp_path, test, known)


def test_a_long_answer_is_read_to_its_end(tmp_path: Path) -> None:
    many = [image("P1", "1.1", "1.1.1", f"1.1.1.{number}", name="N" * 4000) for number in range(1, 91)]

    async def test(client: TestClient[Any, Any]) -> None:
        assert len(await uids(client, CLINICIAN, "/studies/1.1/series/1.1.1/instances", "00080018")) == 90

    served(tmp_path, test, [FakeArchive("pacs1", many)])


def test_roles_that_may_not_are_refused_and_nobody_is_asked_to_sign_in(
    tmp_path: Path, events: list[dict[str, Any]]
) -> None:
    async def test(client: TestClient[Any, Any]) -> None:
        for path in ("/studies", "/studies/1.1"):
            answer = await client.get(f"/dicom-web{path}", headers=ADMINISTRATOR)
            assert (answer.status, (await answer.json())["reason"]) == (403, "role")
        assert (await client.get("/dicom-web/studies")).status == 401
        assert (await client.get("/dicom-web/studies", headers=signed_in("../x", "researcher"))).status == 401
        assert (await client.get("/gateway/session")).status == 401

    served(tmp_path, test)
    assert [event["reason"] for event in events] == ["role", "role", *["not-signed-in"] * 3]


def test_a_session_is_worth_nothing_in_another_browser_or_at_another_address(
    tmp_path: Path, events: list[dict[str, Any]]
) -> None:
    here = {**CLINICIAN, subject.ADDRESS: "10.24.30.11", subject.BROWSER: "Chromium"}

    async def test(client: TestClient[Any, Any]) -> None:
        assert await uids(client, here, "/studies") == ["1.1"]
        for elsewhere in ({subject.ADDRESS: "10.24.30.12"}, {subject.BROWSER: "curl"}):
            for path in ("/dicom-web/studies", "/gateway/session"):
                answer = await client.get(path, headers={**here, **elsewhere})
                assert (answer.status, (await answer.json())["reason"]) == (401, "other-browser")
        other = {**here, subject.SESSION: "s2", subject.BROWSER: "curl"}
        assert await uids(client, other, "/studies") == ["1.1"]
        assert await uids(client, here, "/studies") == ["1.1"]

    served(tmp_path, test)
    refused = [event for event in events if event["outcome"] == "refused"]
    assert [(event["action"], event["person"], event["reason"]) for event in refused] == [
        ("person-searches", "n.okafor", "other-browser"), ("use-session", "n.okafor", "other-browser"),
    ] * 2  # fmt: skip


def test_a_session_stays_where_it_began_when_the_gateway_starts_again(tmp_path: Path) -> None:
    here = {**CLINICIAN, subject.ADDRESS: "10.24.30.11", subject.BROWSER: "Chromium"}

    async def begin(client: TestClient[Any, Any]) -> None:
        assert await uids(client, here, "/studies") == ["1.1"]

    async def steal(client: TestClient[Any, Any]) -> None:
        answer = await client.get("/gateway/session", headers={**here, subject.BROWSER: "curl"})
        assert (answer.status, (await answer.json())["reason"]) == (401, "other-browser")
        assert await uids(client, here, "/studies") == ["1.1"]

    served(tmp_path, begin)
    served(tmp_path, steal)


def test_headers_of_other_names_say_nothing_of_who_asks(tmp_path: Path) -> None:
    forged = {"X_Pacslab_Person": "r.all", "X-Remote-User": "r.all", "OIDC_preferred_username": "r.all"}

    async def test(client: TestClient[Any, Any]) -> None:
        headers = {**CLINICIAN, **forged, "X-Pacslab-Role": "researcher", "X-Pacslab-Roles-": "researcher"}
        assert await uids(client, headers, "/studies") == ["1.1"]
        nobody = {name: value for name, value in headers.items() if name != subject.PERSON}
        assert (await client.get("/dicom-web/studies", headers=nobody)).status == 401

    served(tmp_path, test)


def test_while_a_source_is_silent_whom_it_alone_knows_is_refused_and_others_are_not(tmp_path: Path) -> None:
    told = sources()
    told[1].away = True
    told[0].known[Scope.DEPARTMENT, "Radiology"] = frozenset({"P1"})

    async def test(client: TestClient[Any, Any]) -> None:
        assert (await client.get("/dicom-web/studies/1.1", headers=RADIOLOGIST)).status == 200
        answer = await client.get("/dicom-web/studies/1.2", headers=RADIOLOGIST)
        assert (answer.status, (await answer.json())["reason"]) == (503, "relation-unknown")
        answer = await client.get("/dicom-web/studies", headers=RADIOLOGIST)
        assert "ris1 does not answer" in answer.headers["Warning"]

    served(tmp_path, test, told=told)


def test_while_an_archive_is_away_the_others_studies_are_found_and_it_is_said(tmp_path: Path) -> None:
    known = archives()
    known[1].away = True

    async def test(client: TestClient[Any, Any]) -> None:
        answer = await client.get("/dicom-web/studies", headers=RESEARCHER)
        assert [found["0020000D"]["Value"][0] for found in await answer.json()] == ["1.1", "1.2"]
        assert "vna1 does not answer" in answer.headers["Warning"]
        assert (await client.get("/dicom-web/studies/1.3", headers=RESEARCHER)).status == 503
        known[0].away = True
        answer = await client.get("/dicom-web/studies", headers=RESEARCHER)
        assert (answer.status, (await answer.json())["reason"]) == (503, "archive-silent")

    served(tmp_path, test, known)


def test_a_study_that_archives_file_under_two_patients_is_nobodys(tmp_path: Path) -> None:
    known = archives()
    known[1].images.append(image("P9", "1.1", "1.1.9", "1.1.9.1"))
    known[1].images = known[1].images[-1:]

    async def test(client: TestClient[Any, Any]) -> None:
        assert (await client.get("/dicom-web/studies/1.1", headers=CLINICIAN)).status == 403

    served(tmp_path, test, known)


def test_a_patient_of_another_authority_is_another_patient(tmp_path: Path) -> None:
    known = archives()
    for archive in known:
        archive.issuer = "ELSEWHERE"

    async def test(client: TestClient[Any, Any]) -> None:
        assert await uids(client, CLINICIAN, "/studies") == []
        assert (await client.get("/dicom-web/studies/1.1", headers=CLINICIAN)).status == 403

    served(tmp_path, test, known)


def test_relations_are_asked_for_once_in_a_while(tmp_path: Path) -> None:
    told = sources()

    async def test(client: TestClient[Any, Any]) -> None:
        paths = ["/dicom-web/studies"] * 5 + ["/dicom-web/studies/1.1/metadata"] * 5
        await asyncio.gather(*(client.get(path, headers=CLINICIAN) for path in paths))

    served(tmp_path, test, told=told)
    assert [source.asked for source in told] == [1, 1]


BREAK = "/gateway/break-glass"
WHY = {"patient": "P2", "reason": "Unconscious in the emergency room"}


def test_breaking_the_glass_opens_one_patient_and_is_marked_in_every_record(
    tmp_path: Path, events: list[dict[str, Any]]
) -> None:
    async def test(client: TestClient[Any, Any]) -> None:
        assert (await client.get("/dicom-web/studies/1.2", headers=CLINICIAN)).status == 403
        answer = await client.post(BREAK, json=WHY, headers={**CLINICIAN, "Origin": ORIGIN})
        assert answer.status == 200
        assert (await client.get("/dicom-web/studies/1.2", headers=CLINICIAN)).status == 200
        assert (await client.get("/dicom-web/studies/1.3", headers=CLINICIAN)).status == 403
        session = await (await client.get("/gateway/session", headers=CLINICIAN)).json()
        assert session["emergencies"] == ["P2"]

    served(tmp_path, test)
    assert [(event["action"], event["outcome"], event.get("state")) for event in events] == [
        ("person-views", "refused", None),
        ("person-breaks-glass", "success", None),
        ("person-views", "success", "emergency"),
        ("person-views", "refused", None),
    ]
    assert WHY["reason"] not in json.dumps(events)


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({**CLINICIAN, "Origin": "https://evil.example"}, WHY, 403),
        (CLINICIAN, WHY, 403),
        ({**CLINICIAN, "Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"}, WHY, 403),
        ({**ADMINISTRATOR, "Origin": ORIGIN}, WHY, 403),
        (TECHNOLOGIST, WHY, 403),
        ({**CLINICIAN, "Origin": ORIGIN}, {"patient": "P2", "reason": "short"}, 400),
        ({**CLINICIAN, "Origin": ORIGIN}, {"patient": "", "reason": WHY["reason"]}, 400),
        ({**CLINICIAN, "Origin": ORIGIN}, {"patient": "P2"}, 400),
        ({**CLINICIAN, "Origin": ORIGIN}, {"patient": "P2", "reason": "\x1b[31m danger \x1b[0m"}, 400),
    ],
)
def test_breaking_the_glass_takes_the_role_a_reason_and_the_sites_own_page(
    tmp_path: Path, headers: dict[str, str], content: dict[str, str], status: int
) -> None:
    async def test(client: TestClient[Any, Any]) -> None:
        assert (await client.post(BREAK, json=content, headers=headers)).status == status
        assert (await client.get("/dicom-web/studies/1.2", headers=CLINICIAN)).status == 403

    served(tmp_path, test)


def objects(*patients: tuple[str, str]) -> tuple[bytes, str]:
    """A multipart message of small objects, each of a patient and a study."""
    parts = []
    for number, (patient, study) in enumerate(patients):
        dataset = Dataset()
        dataset.PatientID, dataset.StudyInstanceUID, dataset.SOPInstanceUID = patient, study, f"1.7.{number + 1}"
        dataset.SOPClassUID = SecondaryCaptureImageStorage
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        content = BytesIO()
        dataset.save_as(content, enforce_file_format=True)
        parts.append(b"--edge\r\nContent-Type: application/dicom\r\n\r\n" + content.getvalue() + b"\r\n")
    return b"".join(parts) + b"--edge--", 'multipart/related; type="application/dicom"; boundary=edge'


@pytest.mark.parametrize(
    ("headers", "added", "path", "status"),
    [
        (TECHNOLOGIST, [("P1", "1.1"), ("P2", "1.9")], "/studies", 200),
        (TECHNOLOGIST, [("P1", "1.1"), ("P3", "1.3")], "/studies", 403),
        (TECHNOLOGIST, [("P1", "1.2")], "/studies", 403),
        (TECHNOLOGIST, [("P1", "1.1")], "/studies/1.2", 403),
        ({**RADIOLOGIST, "Origin": ORIGIN}, [("P1", "1.1")], "/studies", 403),
        ({**TECHNOLOGIST, "Origin": "https://evil.example"}, [("P1", "1.1")], "/studies", 403),
        (TECHNOLOGIST, [("", "1.1")], "/studies", 400),
        (TECHNOLOGIST, [], "/studies", 400),
    ],
)
def test_objects_are_added_by_who_may_and_to_patients_whom_the_person_may_reach(
    tmp_path: Path, headers: dict[str, str], added: list[tuple[str, str]], path: str, status: int
) -> None:
    known = archives()
    body, kind = objects(*added)

    async def test(client: TestClient[Any, Any]) -> None:
        answer = await client.post(f"/dicom-web{path}", data=body, headers={**headers, "Content-Type": kind})
        assert answer.status == status, await answer.text()

    served(tmp_path, test, known)
    assert known[0].stored == []  # no flow lets the gateway add anything there
    sent = [storing.objects_of(*message) for message in known[1].stored]
    assert sent == ([storing.objects_of(kind, body)] if status == 200 else [])


def test_what_an_archive_has_not_stored_is_told_as_refused(tmp_path: Path, events: list[dict[str, Any]]) -> None:
    body, kind = objects(("P1", "1.1"), ("P2", "1.9"))

    async def test(client: TestClient[Any, Any]) -> None:
        await client.post("/dicom-web/studies", data=body, headers={**TECHNOLOGIST, "Content-Type": kind})

    served(tmp_path, test)
    assert [(event["instance"], event["outcome"]) for event in events] == [("1.7.1", "success"), ("1.7.2", "refused")]


def test_an_archive_sees_the_objects_that_the_gateway_saw_and_no_others(tmp_path: Path) -> None:
    """A boundary that does not begin a line is none (RFC 2046 5.1.1), but not every reader knows that."""
    hidden, _ = objects(("P3", "1.3"))
    inside = hidden.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n--edge--")
    body, kind = objects(("P1", "1.1"))
    body = body.removesuffix(b"\r\n--edge--") + b"--edge\r\n\r\n" + inside + b"\r\n--edge--"
    known = archives()

    async def test(client: TestClient[Any, Any]) -> None:
        await client.post("/dicom-web/studies", data=body, headers={**TECHNOLOGIST, "Content-Type": kind})

    served(tmp_path, test, known)
    ((content_type, message),) = known[1].stored
    boundary = content_type.rpartition("boundary=")[2].encode()
    assert message.count(boundary) == 2  # one object and the end, however it is read
    assert boundary != b"edge"


def test_nothing_is_added_while_an_archive_cannot_say_whose_a_study_is(tmp_path: Path) -> None:
    known = archives()
    known[0].away = True
    body, kind = objects(("P1", "1.1"))

    async def test(client: TestClient[Any, Any]) -> None:
        answer = await client.post("/dicom-web/studies", data=body, headers={**TECHNOLOGIST, "Content-Type": kind})
        assert answer.status == 503

    served(tmp_path, test, known)
    assert known[1].stored == []


@pytest.mark.parametrize("kind", ["application/dicom", "multipart/related; boundary=edge", "text/html", ""])
def test_what_is_no_message_of_objects_is_not_added(tmp_path: Path, kind: str) -> None:
    body, _ = objects(("P1", "1.1"))

    async def test(client: TestClient[Any, Any]) -> None:
        answer = await client.post("/dicom-web/studies", data=body, headers={**TECHNOLOGIST, "Content-Type": kind})
        assert answer.status == 400

    served(tmp_path, test)
