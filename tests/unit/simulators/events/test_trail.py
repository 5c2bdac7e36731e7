"""Every transaction leaves an event on each system that takes part in it, however it ends."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from simulators.errors import NotFoundError, RefusedError
from simulators.events.actions import QUERY
from simulators.events.report import performing, write_failure
from simulators.image_manager.forward import Follower, SeriesSender
from simulators.image_manager.reconcile import Reconciler
from simulators.image_manager.store import Store
from simulators.modality import acquisition, deliver
from simulators.modality.commitment import wait_for
from simulators.modality.server import listen
from simulators.modality.spool import COMPLETED, Spool
from tests.unit.simulators.image_manager.archive import FakeOrthanc, image
from tests.unit.simulators.modality.peers import open_hospital
from tests.unit.simulators.peers import ANNA

if TYPE_CHECKING:
    from pathlib import Path

Events = list[dict[str, Any]]


def test_a_modality_tells_every_transaction_of_an_order(tmp_path: Path, events: Events) -> None:
    spool = Spool(tmp_path)
    with ExitStack() as stack:
        hospital = open_hospital(stack)
        server = listen(spool, "CT1", 0, ["PACSRAD"])
        stack.callback(server.shutdown)
        hospital.archive.modality_port = server.server_address[1]
        step = acquisition.begin(hospital.links, spool, accession="ACC1", step_id="", commit=True)
        acquisition.acquire(hospital.links, spool, step, images=2, phantom=True)
        hospital.stop_archive()
        deliver.store_images(hospital.links, spool, spool.instances(step.uid))
        hospital.start_archive()
        deliver.store_images(hospital.links, spool, spool.instances(step.uid))
        deliver.report_end(hospital.links, spool, acquisition.end(spool, step, COMPLETED))
        with pytest.raises(RefusedError):
            deliver.report_end(hospital.links, spool, spool.steps()[0])
        transaction = deliver.request_commitment(hospital.links, spool, step)
        assert transaction is not None
        wait_for(spool, transaction, 5)
    told = [event for event in events if "transaction" in event]
    assert [(event["transaction"], event["action"], event["outcome"]) for event in told[:6]] == [
        ("RAD-5", "query", "success"),
        ("RAD-6", "begin-step", "success"),
        ("RAD-8", "store", "waiting"),
        ("RAD-8", "store", "success"),
        ("RAD-7", "update-step", "success"),
        ("RAD-7", "update-step", "refused"),
    ]
    assert {(event["transaction"], event["action"], event["outcome"]) for event in told[6:]} == {
        ("RAD-10", "request-commitment", "success"),
        ("RAD-10", "commitment-report", "success"),
    }
    assert all(event["accession"] == "ACC1" for event in told)
    assert all(event["study"] == step.study for event in told[1:])
    assert str(acquisition.item_of(step).PatientName).split("^")[0] not in str(events)


def test_an_image_manager_tells_which_study_came_and_went(tmp_path: Path, events: Events) -> None:
    orthanc = FakeOrthanc()
    store, archive = Store(tmp_path), orthanc.archive(tmp_path)
    picture = image(ANNA, "1.2.3")
    picture.AccessionNumber = "A1"
    orthanc.store(picture, sender="CT1")
    follower = Follower(store, archive, Reconciler(store, archive, tmp_path, "pacs-rad"), ("vna1",))
    follower.follow()
    orthanc.target_away = True
    SeriesSender(store, archive, "vna1").run_due()
    with store.transaction() as db:
        db.execute("UPDATE transfers SET next_try = ?", (time.time(),))
    orthanc.target_away = False
    SeriesSender(store, archive, "vna1").run_due()
    about = {"patient": ANNA.identifier, "accession": "A1", "study": "1.2.3"}
    arrived, first, refused, again, sent = events
    for begun in (first, again):
        assert {"action": "begin-transfer", "peer": "vna1", "instances": 1, **about}.items() <= begun.items()
    assert {"action": "receive-images", "outcome": "success", "ae_title": "CT1", **about}.items() <= arrived.items()
    assert {"action": "forward", "outcome": "refused", "peer": "vna1", **about}.items() <= refused.items()
    assert {"action": "forward", "outcome": "success", "peer": "vna1", **about}.items() <= sent.items()


def test_an_error_is_told_once(events: Events) -> None:
    error = NotFoundError("x", remedy="y")
    with pytest.raises(NotFoundError), performing(QUERY, transaction="RAD-14"):
        raise error
    write_failure(QUERY, error)
    assert [event["reason"] for event in events] == ["not-found"]


def test_a_refusal_stays_one_though_it_is_asked_again(events: Events) -> None:
    write_failure(QUERY, RefusedError("x", remedy="y"), waiting=True)
    write_failure(QUERY, NotFoundError("x", remedy="y"), waiting=True)
    assert [event["outcome"] for event in events] == ["refused", "waiting"]
