"""The RIS on a real PostgreSQL: orders become steps, steps follow MPPS, reports close orders, nothing is half done."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from pydicom.dataset import Dataset

from simulators.association import associate, contexts
from simulators.database import URL_VARIABLE
from simulators.hl7content import Code, adt, merge, order_message, report_of
from simulators.hl7exchange import messages
from simulators.hl7messages import parse
from simulators.outbox import Outbox
from simulators.ris.dicom import MODALITY_WORKLIST_FIND, VERIFICATION
from simulators.ris.mpps import IN_PROGRESS, check_change
from simulators.ris.record import STEPS
from simulators.ris.requests import RequestError
from tests.unit.simulators.database import own_schema
from tests.unit.simulators.peers import ANNA, from_ehr, loopback_peer, renamed
from tests.unit.simulators.ris.hospital import HEAD, Ris

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def ris(server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Ris]:
    monkeypatch.setenv(URL_VARIABLE, own_schema(server, request.node.name))
    one = Ris()
    yield one
    one.close()


@pytest.fixture
def scheduled(ris: Ris) -> Ris:
    assert ris.register().accepted
    assert ris.order().accepted
    return ris


def test_an_order_is_scheduled_and_everybody_is_told(scheduled: Ris) -> None:
    procedure = scheduled.procedure()
    assert (procedure["placer"], procedure["status"]) == ("O1", "scheduled")
    assert procedure["study_uid"].startswith("2.25.")
    (told,) = scheduled.waiting("pacs-rad")
    message = parse(told["body"].encode())
    assert [message.get("OBR", number) for number in (18, 19, 20)] == ["A0000001", "RP0000001", "SPS0000001"]
    assert message.get("ZDS", 1) == procedure["study_uid"]
    assert [parse(row["body"].encode()).get("ORC", 5) for row in scheduled.waiting("ehr1")] == ["SC"]
    assert scheduled.waiting("vna1") == []


def test_an_order_for_an_unknown_patient_or_modality_leaves_nothing_behind(ris: Ris) -> None:
    assert (ris.order().code, ris.rows("SELECT * FROM messages")) == (204, [])
    ris.register()
    assert ris.order(replace(HEAD, modality="US")).code == 103
    assert ris.rows("SELECT * FROM procedures") == []


def test_an_order_number_is_used_once(scheduled: Ris) -> None:
    answer = scheduled.order()
    assert (answer.acknowledgement, answer.code, answer.location) == ("AE", 205, "ORC^1^2")


def test_a_replayed_order_has_no_second_effect(ris: Ris) -> None:
    ris.register()
    text = order_message(from_ehr("SAME"), "NW", ANNA, HEAD)
    assert ris.send(text).accepted
    assert ris.send(text).accepted, "it is answered as it was the first time"
    other = ris.send(text.replace("|O1|", "|O2|"))
    assert (other.acknowledgement, other.code) == ("AR", 205)
    assert len(ris.rows("SELECT * FROM procedures")) == 1


def test_a_control_id_is_forgotten_after_its_time(ris: Ris) -> None:
    ris.register()
    text = order_message(from_ehr("SAME"), "NW", ANNA, HEAD)
    ris.send(text)
    with ris.database.transaction() as cursor:
        cursor.execute("UPDATE control_ids SET at = at - interval '31 days'")
    assert ris.send(text.replace("|O1|", "|O2|")).accepted
    assert [row["control_id"] for row in ris.rows("SELECT control_id FROM control_ids")] == ["SAME"]


def test_the_time_of_a_repetition_is_no_other_content(ris: Ris) -> None:
    text = adt(from_ehr("SAME"), "A04", ANNA)
    assert ris.send(text).accepted
    header = text.split("|")
    header[6] = "20270101000000+0000"
    assert ris.send("|".join(header)).accepted


def test_a_message_that_was_refused_may_be_mended_and_sent_again(ris: Ris) -> None:
    text = order_message(from_ehr("SAME"), "NW", ANNA, HEAD)
    assert ris.send(text).code == 204
    ris.register()
    assert ris.send(text).accepted


def test_orders_are_spread_over_the_stations_of_a_modality(scheduled: Ris) -> None:
    scheduled.order(replace(HEAD, placer="O2"))
    assert scheduled.worklist("CT1")[0] == ["A0000001"]
    assert scheduled.worklist("CT2")[0] == ["A0000002"]


def test_a_station_does_not_see_anothers_worklist(scheduled: Ris, events: list[dict[str, Any]]) -> None:
    assert scheduled.worklist("MR1") == ([], 0x0000)
    assert scheduled.worklist("MR1", "CT1") == ([], 0xC000)
    refused = {"action": "query", "outcome": "refused", "reason": "foreign-worklist", "transaction": "RAD-5"}
    assert {**refused, "ae_title": "MR1", "peer": "mr1", "station": "CT1"}.items() <= events[-1].items()


def test_a_caller_without_the_permit_gets_nothing(scheduled: Ris) -> None:
    assert scheduled.worklist("ECHO1") == ([], 0x0122)
    assert scheduled.begin(calling="ECHO1") == 0x0124
    scheduled.serve()
    with associate(loopback_peer(scheduled.port), contexts([VERIFICATION]), calling="ECHO1", tls=None) as open_:
        assert open_.send_c_echo().Status == 0x0000


def test_a_query_without_a_step_does_not_match_the_sop_class(scheduled: Ris) -> None:
    keys = Dataset()
    keys.PatientName = "*"
    scheduled.serve()
    with associate(loopback_peer(scheduled.port), contexts([MODALITY_WORKLIST_FIND]), calling="CT1", tls=None) as open_:
        assert [status.Status for status, _ in open_.send_c_find(keys, MODALITY_WORKLIST_FIND)] == [0xA900]


def test_a_cancelled_order_leaves_the_worklist(scheduled: Ris) -> None:
    assert scheduled.order(control="CA").accepted
    assert scheduled.worklist("CT1")[0] == []
    assert [parse(row["body"].encode()).get("ORC", 1) for row in scheduled.waiting("pacs-rad")] == ["NW", "CA"]
    assert scheduled.begin() == 0x0106


def test_an_order_that_has_begun_cannot_be_cancelled_or_changed(scheduled: Ris) -> None:
    scheduled.begin()
    assert scheduled.order(control="CA").code == 206
    assert scheduled.order(replace(HEAD, priority="S"), control="XO").code == 206
    assert scheduled.procedure()["priority"] == "R"


def test_a_changed_order_is_on_the_worklist_and_everybody_is_told(scheduled: Ris, events: list[dict[str, Any]]) -> None:
    before = scheduled.procedure()
    neck = replace(HEAD, code=Code("CTNECK", "CT neck", "99L"), priority="S", reason="fall", scheduled="20270102030405")
    assert scheduled.order(neck, control="XO").accepted
    after = scheduled.procedure()
    assert {**after, "changed": None} == {
        **before, "code": "CTNECK", "description": "CT neck", "priority": "S", "reason": "fall", "changed": None,
    }  # fmt: skip
    assert scheduled.rows("SELECT station_ae, status FROM steps") == [{"station_ae": "CT1", "status": "scheduled"}]
    told = [parse(scheduled.waiting(name)[-1]["body"].encode()) for name in ("pacs-rad", "ehr1")]
    assert [message.get("ORC", 1) for message in told] == ["XO", "SC"]
    assert {(message.get("OBR", 4), message.get("TQ1", 9), message.get("TQ1", 7)[:8]) for message in told} == {
        ("CTNECK", "S", "20270102")
    }
    changed = {"action": "change-order", "transaction": "RAD-2", "accession": "A0000001", "placer": "O1"}
    assert changed.items() <= next(event for event in events if event["action"] == "change-order").items()


def test_an_order_that_is_changed_to_another_modality_moves_to_a_station_of_that_one(scheduled: Ris) -> None:
    assert scheduled.order(replace(HEAD, modality="US"), control="XO").code == 103
    assert scheduled.order(replace(HEAD, modality="MR"), control="XO").accepted
    assert (scheduled.worklist("CT1")[0], scheduled.worklist("MR1")[0]) == ([], ["A0000001"])
    assert scheduled.procedure()["modality"] == "MR"


def test_another_patients_order_and_one_that_nobody_placed_are_not_changed(scheduled: Ris) -> None:
    assert scheduled.register(renamed(ANNA, "P2")).accepted
    text = order_message(from_ehr("X1"), "XO", renamed(ANNA, "P2"), replace(HEAD, priority="S"))
    assert scheduled.send(text).code == 204
    assert scheduled.order(replace(HEAD, placer="O404"), control="XO").code == 204
    assert scheduled.order(HEAD, control="HD").code == 103
    assert scheduled.procedure()["priority"] == "R"


def test_a_step_in_progress_leaves_the_worklist_and_a_completed_one_is_told(scheduled: Ris) -> None:
    assert scheduled.begin() == 0x0000
    assert scheduled.procedure()["status"] == "in progress"
    assert scheduled.worklist("CT1")[0] == []
    assert scheduled.end() == 0x0000
    assert scheduled.procedure()["status"] == "completed"
    told = [parse(row["body"].encode()) for row in scheduled.waiting("ehr1")]
    assert [(message.get("ORC", 5), message.get("OBR", 25)) for message in told] == [
        ("SC", "S"),
        ("IP", "I"),
        ("IP", "R"),
    ]


def test_a_completed_step_cannot_be_set_again(scheduled: Ris, events: list[dict[str, Any]]) -> None:
    scheduled.begin()
    scheduled.end()
    assert scheduled.end("DISCONTINUED") == 0x0110
    assert scheduled.rows("SELECT status FROM performed_steps") == [{"status": "COMPLETED"}]
    assert (events[-1]["action"], events[-1]["reason"], events[-1]["ae_title"]) == ("update-step", "final-state", "CT1")


def test_a_discontinued_step_tells_why(scheduled: Ris) -> None:
    scheduled.begin()
    assert scheduled.end("DISCONTINUED") == 0x0000
    assert scheduled.procedure()["status"] == "discontinued"
    message = parse(scheduled.waiting("ehr1")[-1]["body"].encode())
    assert (message.get("ORC", 5), message.get("ORC", 16), message.get("ORC", 16, 3)) == ("DC", "110514", "DCM")


def test_a_step_exists_once_and_an_unknown_one_not_at_all(scheduled: Ris) -> None:
    assert [scheduled.begin(), scheduled.begin(AccessionNumber="A0000001"), scheduled.end(uid="2.25.8")] == [
        0x0000,
        0x0111,
        0x0112,
    ]


def test_a_step_that_is_begun_again_in_the_same_words_is_answered_as_before(
    scheduled: Ris, events: list[dict[str, Any]]
) -> None:
    assert [scheduled.begin(), scheduled.begin(), scheduled.end(), scheduled.begin()] == [0x0000] * 4
    assert scheduled.procedure()["status"] == "completed"
    assert [event.get("repeated") for event in events if event["action"] == "begin-step"] == [None, True, True]
    assert len(scheduled.waiting("ehr1")) == 3, "nobody is told of a repetition"


def test_an_end_that_is_told_again_in_the_same_words_is_answered_as_before(
    scheduled: Ris, events: list[dict[str, Any]]
) -> None:
    scheduled.begin()
    assert [scheduled.end(), scheduled.end()] == [0x0000, 0x0000]
    assert events[-1]["repeated"] is True
    assert scheduled.end(PerformedProcedureStepEndTime="084001") == 0x0110
    assert scheduled.end(calling="CT2") == 0x0124
    assert len(scheduled.waiting("ehr1")) == 3


def test_an_end_may_repeat_what_was_said_at_the_beginning_and_not_change_it(scheduled: Ris) -> None:
    scheduled.begin()
    assert scheduled.end(PerformedStationAETitle="CT2") == 0x0105
    assert scheduled.end(PerformedStationAETitle="CT1", Modality="CT", PerformedProcedureStepID="PPS1") == 0x0000


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"calling": "CT2"}, 0x0124),
        ({"StudyInstanceUID": "2.25.77"}, 0x0106),
        ({"AccessionNumber": "A0000009"}, 0x0106),
        ({"ScheduledProcedureStepID": "SPS9"}, 0x0106),
    ],
)
def test_a_step_that_is_not_the_scheduled_one_is_refused(scheduled: Ris, changes: dict[str, str], status: int) -> None:
    assert scheduled.begin(**changes) == status
    assert scheduled.procedure()["status"] == "scheduled"


def test_another_station_cannot_end_a_step(scheduled: Ris) -> None:
    scheduled.begin()
    assert scheduled.end(calling="CT2") == 0x0124
    assert scheduled.procedure()["status"] == "in progress"


def test_an_unscheduled_step_is_kept_without_an_order(scheduled: Ris) -> None:
    assert scheduled.begin(ScheduledProcedureStepID="") == 0x0000
    assert scheduled.procedure()["status"] == "scheduled"


def test_a_final_report_closes_the_order_and_goes_to_the_ehr(scheduled: Ris) -> None:
    scheduled.begin()
    scheduled.end()
    assert scheduled.report().accepted
    assert scheduled.procedure()["status"] == "reported"
    message = parse(scheduled.waiting("ehr1")[-1]["body"].encode())
    assert (message.type, message.get("ORC", 2), message.get("OBX", 5)) == ("ORU^R01", "O1", "Normal.")


def test_a_preliminary_report_leaves_the_order_open(scheduled: Ris) -> None:
    scheduled.begin()
    assert scheduled.report("P").accepted
    assert scheduled.procedure()["status"] == "in progress"


def test_a_report_goes_to_the_ehr_with_the_document_that_has_it_in_dicom(scheduled: Ris) -> None:
    scheduled.begin()
    study = scheduled.procedure()["study_uid"]
    document = {"study_uid": study, "series_uid": "2.25.2", "instance_uid": "2.25.3"}
    assert scheduled.report(**document).accepted
    (kept,) = scheduled.rows("SELECT series_uid, instance_uid FROM reports")
    assert kept == {"series_uid": "2.25.2", "instance_uid": "2.25.3"}
    told = report_of(parse(scheduled.waiting("ehr1")[-1]["body"].encode()))
    assert (told.study_uid, told.series_uid, told.instance_uid) == (study, "2.25.2", "2.25.3")


def test_a_report_whose_document_is_of_another_study_or_has_no_uid_is_refused(scheduled: Ris) -> None:
    scheduled.begin()
    text = scheduled.report_text(study_uid="2.25.5", series_uid="2.25.2", instance_uid="2.25.3")
    without_zds = "".join(f"{line}\r" for line in text.split("\r") if line and not line.startswith("ZDS"))
    assert scheduled.send(without_zds, "ws-rad1").code == 204
    answer = scheduled.report(instance_uid="../../x")
    assert (answer.code, answer.location) == (102, "OBX^1^5")


@pytest.mark.parametrize(("first", "second"), [("F", "P"), ("C", "P"), ("C", "F")])
def test_a_lesser_report_does_not_replace_a_greater_one_and_is_passed_on_to_nobody(
    scheduled: Ris, events: list[dict[str, Any]], first: str, second: str
) -> None:
    scheduled.begin()
    assert scheduled.report(first).accepted
    told = len(scheduled.waiting("ehr1"))
    answer = scheduled.report(second)
    assert (answer.acknowledgement, answer.code, answer.location) == ("AE", 206, "OBR^1^25")
    assert {"action": "receive", "outcome": "refused", "reason": "reported"}.items() <= events[-1].items()
    assert len(scheduled.waiting("ehr1")) == told
    assert scheduled.report("C").accepted, "a correction replaces either"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"accession": "A9"}, 204),
        ({"patient": renamed(ANNA, "P9")}, 204),
        ({"study_uid": "2.25.5"}, 204),
    ],
)
def test_a_report_on_something_else_is_refused(scheduled: Ris, changes: dict[str, Any], code: int) -> None:
    scheduled.begin()
    assert scheduled.report(**changes).code == code
    assert scheduled.rows("SELECT * FROM reports") == []


def test_nothing_can_be_reported_before_it_was_performed(scheduled: Ris) -> None:
    assert scheduled.report().code == 206


def test_an_update_changes_the_worklist_and_is_passed_on(scheduled: Ris) -> None:
    married = replace(ANNA, family="Weber-Klein")
    assert scheduled.send(adt(from_ehr("U1"), "A08", married)).accepted
    assert scheduled.rows("SELECT family FROM patients") == [{"family": "Weber-Klein"}]
    assert [scheduled.waiting(name)[-1]["type"] for name in ("pacs-rad", "vna1")] == ["ADT^A08", "ADT^A08"]


def test_a_merge_moves_procedures_and_is_passed_on(scheduled: Ris) -> None:
    surviving = renamed(ANNA, "P2")
    scheduled.register(surviving)
    assert scheduled.send(merge(from_ehr("M1"), surviving, ANNA.identifier)).accepted
    assert scheduled.procedure()["patient_id"] == "P2"
    message = parse(scheduled.waiting("vna1")[-1]["body"].encode())
    assert (message.type, message.get("PID", 3), message.get("MRG", 1)) == ("ADT^A40", "P2", ANNA.identifier)
    scheduled.begin()
    assert scheduled.report().accepted, "a report under the merged identifier is the surviving patient's"


@pytest.mark.parametrize("prior", ["P0000001", "A\\B", "P" * 65])
def test_a_merge_of_oneself_or_of_what_is_no_identifier_is_refused(scheduled: Ris, prior: str) -> None:
    assert scheduled.send(merge(from_ehr("M1"), ANNA, prior)).acknowledgement == "AE"


def test_a_merge_of_somebody_who_was_never_registered_is_passed_on_and_remembered(scheduled: Ris) -> None:
    assert scheduled.send(merge(from_ehr("M1"), ANNA, "P404")).accepted
    message = parse(scheduled.waiting("vna1")[-1]["body"].encode())
    assert (message.type, message.get("MRG", 1)) == ("ADT^A40", "P404")
    assert scheduled.register(renamed(ANNA, "P404")).code == 204


def test_a_known_patient_who_is_registered_anew_with_other_demographics_is_updated_everywhere(scheduled: Ris) -> None:
    assert scheduled.register().accepted
    assert scheduled.waiting("vna1") == []
    assert scheduled.register(replace(ANNA, family="Weber-Klein")).accepted
    assert [row["type"] for row in scheduled.waiting("vna1")] == ["ADT^A08"]


def test_a_merged_identifier_cannot_be_registered_again(scheduled: Ris) -> None:
    surviving = renamed(ANNA, "P2")
    scheduled.register(surviving)
    scheduled.send(merge(from_ehr("M1"), surviving, ANNA.identifier))
    assert scheduled.register().code == 204


def test_tables_are_made_once_however_often_a_command_starts(ris: Ris) -> None:
    ris.database.migrate(STEPS)
    assert ris.rows("SELECT step FROM schema_version") == [{"step": number} for number in range(1, len(STEPS) + 1)]


def test_a_connection_that_the_server_closed_is_replaced(ris: Ris) -> None:
    with ris.database.transaction() as cursor:
        cursor.execute("SELECT pg_backend_pid() AS pid")
        first = cursor.fetchall()[0]["pid"]
    with psycopg.connect(str(ris.database.target), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (first,))
    assert ris.rows("SELECT 1 AS one") == [{"one": 1}]


def test_a_message_to_a_peer_that_is_away_waits(scheduled: Ris) -> None:
    outbox = Outbox(scheduled.settings, scheduled.database)
    peer = scheduled.settings.peer("hl7-tls", role="ehr")
    row = outbox.deliver(peer, scheduled.waiting("ehr1")[0]["id"])
    assert (row["state"], row["attempts"]) == ("waiting", 1)
    with scheduled.database.transaction() as cursor:
        assert [message["state"] for message in messages(cursor, keys=["A0000001"], outgoing_only=True)] == [
            "waiting",
            "waiting",
        ]


@pytest.mark.parametrize(
    ("asked", "found"), [("CT*", ["A0000001"]), ("?T1", ["A0000001"]), ("*", ["A0000001"]), ("M*", [])]
)
def test_a_wildcard_shows_a_station_what_it_may_see(scheduled: Ris, asked: str, found: list[str]) -> None:
    scheduled.order(replace(HEAD, placer="O2"))
    assert scheduled.worklist("CT1", asked) == (found, 0x0000)


def test_a_worklist_that_is_cut_says_so(ris: Ris, events: list[dict[str, Any]]) -> None:
    ris.register()
    for number in range(5):
        ris.order(replace(HEAD, placer=f"O{number}"))
    ris.serve(most_answers=2)
    found, status = ris.worklist("CT1")
    assert (len(found), status) == (2, 0xA700)
    assert {"reason": "too-many-answers", "outcome": "refused", "found": 2}.items() <= events[-1].items()
    assert ris.worklist("CT2")[1] == 0x0000, "as many as there may be are all there are"


def test_a_worklist_of_any_length_takes_one_query(ris: Ris, monkeypatch: pytest.MonkeyPatch) -> None:
    ris.register()
    for number in range(6):
        ris.order(replace(HEAD, placer=f"O{number}"))
    asked: list[object] = []
    execute = psycopg.Cursor.execute

    def counting(self: Any, query: Any, *rest: Any, **more: Any) -> Any:
        asked.append(query)
        return execute(self, query, *rest, **more)

    monkeypatch.setattr(psycopg.Cursor, "execute", counting)
    assert len(ris.worklist("CT1")[0]) == 3
    assert len([query for query in asked if query]) == 1, "besides the pool's own look whether the connection stands"


@pytest.mark.parametrize(
    ("name", "value"),
    [("SeriesInstanceUID", "../../etc"), ("ProtocolName", "a\x1b[2J"), ("SeriesDescription", "a\u202eb")],
)
def test_a_performed_step_with_values_that_hide_something_is_refused(name: str, value: str) -> None:
    series = Dataset()
    series.SeriesInstanceUID = "2.25.3"
    setattr(series, name, value)
    change = Dataset()
    change.SpecificCharacterSet = "ISO_IR 192"
    change.PerformedSeriesSequence = [series]
    with pytest.raises(RequestError) as raised:
        check_change(IN_PROGRESS, change, Dataset())
    assert raised.value.status == 0x0106


def test_a_step_may_be_performed_under_another_title_only_where_the_site_says_so(scheduled: Ris) -> None:
    assert scheduled.begin(performing="CT1A") == 0x0124
    callers = tuple(
        replace(caller, performs_as=("CT1A",)) if caller.name == "ct1" else caller
        for caller in scheduled.settings.callers
    )
    scheduled.close()
    scheduled.settings = replace(scheduled.settings, callers=callers)
    scheduled.serve()
    assert scheduled.begin(performing="CT2") == 0x0124
    assert scheduled.begin(performing="CT1A") == 0x0000
    assert scheduled.end() == 0x0000, "the caller's own"
