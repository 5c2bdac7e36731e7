"""What the verbs of ``pacslab-modality`` do, and what they print."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulators.command_line import Result, table
from simulators.errors import ArgumentError, SimulatorError
from simulators.events.actions import SETTLE
from simulators.events.report import write_event
from simulators.imaging.digest import pixel_digests
from simulators.imaging.jpeg import photograph
from simulators.imaging.pdf import encapsulated_pdf
from simulators.imaging.samples import sample_jpeg, sample_pdf
from simulators.modality import acquisition, worklist
from simulators.modality.commitment import wait_for
from simulators.modality.deliver import Delivery, report_end, request_commitment, store_images
from simulators.modality.links import links_of
from simulators.modality.sender import store_files
from simulators.modality.spool import (
    ACQUIRED,
    COMMITTED,
    COMPLETED,
    DISCONTINUED,
    DROPPED,
    IN_PROGRESS,
    SET_ASIDE,
    STORED,
    WAITING,
    Spool,
)

if TYPE_CHECKING:
    import argparse

    from simulators.modality.links import Links
    from simulators.modality.spool import PerformedStep
    from simulators.settings import Settings

MAXIMUM_FILE = 128 * 1024 * 1024


def show_worklist(arguments: argparse.Namespace, settings: Settings) -> Result:
    """RAD-5: print the scheduled steps."""
    items = worklist.query(
        links_of(settings),
        station=arguments.station,
        accession=arguments.accession or "",
        patient_id=arguments.patient or "",
        date=arguments.date or "",
    )
    rows = [worklist.summary(item) for item in items]
    columns = ["accession", "step", "patient_id", "patient_name", "modality", "station", "date", "time", "description"]
    return Result({"items": rows}, table(rows, columns))


def acquire(arguments: argparse.Namespace, settings: Settings) -> Result:
    """RAD-5, RAD-6, RAD-8, RAD-7, RAD-10: the whole chain."""
    links, spool = links_of(settings), Spool()
    accession, step_id = _named(arguments)
    with spool.delivering(wait=True):
        step = acquisition.begin(links, spool, accession=accession, step_id=step_id, commit=True)
        _acquire(arguments, links, spool, step)
        delivery = store_images(links, spool, spool.instances(step.uid, [ACQUIRED]))
        step = acquisition.end(spool, step, COMPLETED)
        error = delivery.error or _end(links, spool, step)
        if error is None and delivery.waiting == 0:
            error = _commit(links, spool, step, arguments.wait)
    return _outcome(spool, step, delivery, error)


def _acquire(arguments: argparse.Namespace, links: Links, spool: Spool, step: PerformedStep) -> None:
    acquisition.acquire(links, spool, step, images=arguments.images, phantom=arguments.phantom, size=arguments.matrix)


def begin(arguments: argparse.Namespace, settings: Settings) -> Result:
    """RAD-6: MPPS N-CREATE."""
    links, spool = links_of(settings), Spool()
    accession, step_id = _named(arguments)
    return _outcome(spool, acquisition.begin(links, spool, accession=accession, step_id=step_id, commit=False))


def store(arguments: argparse.Namespace, settings: Settings) -> Result:
    """RAD-8: make images for a step that has begun and store them; or send files."""
    if arguments.what and "/" in arguments.what:
        return store_files(arguments, settings)
    if arguments.host or arguments.plain:
        raise ArgumentError("--host and --plain are for sending files.", remedy="Name a folder, with a /.")
    links, spool = links_of(settings), Spool()
    accession, step_id = _named(arguments)
    with spool.delivering(wait=True):
        step = acquisition.find_step(spool, accession=accession, step_id=step_id)
        if not arguments.queued:
            _acquire(arguments, links, spool, step)
        delivery = store_images(links, spool, spool.instances(step.uid, [ACQUIRED]))
    return _outcome(spool, step, delivery, delivery.error)


def complete(arguments: argparse.Namespace, settings: Settings) -> Result:
    """RAD-7: MPPS N-SET COMPLETED."""
    return _finish(arguments, settings, COMPLETED, "")


def discontinue(arguments: argparse.Namespace, settings: Settings) -> Result:
    """RAD-7: MPPS N-SET DISCONTINUED."""
    return _finish(arguments, settings, DISCONTINUED, arguments.reason)


def commit(arguments: argparse.Namespace, settings: Settings) -> Result:
    """RAD-10: N-ACTION for every step of the order that has images to commit, and wait for the answers."""
    links, spool = links_of(settings), Spool()
    accession, step_id = _named(arguments)
    with spool.delivering(wait=True):
        steps = acquisition.find_steps(spool, accession=accession, step_id=step_id)
        if any(spool.instances(step.uid, [ACQUIRED]) for step in steps):
            raise ArgumentError(
                "Not all images are stored.", remedy=f"Run `pacslab-modality store --queued {accession}`."
            )
        open_steps = [step for step in steps if spool.instances(step.uid, [STORED])] or steps[-1:]
        error = None
        for step in open_steps:
            spool.want_commitment(step.uid)
            error = error or _commit(links, spool, step, arguments.wait)
    return _outcome(spool, open_steps[0], None, error)


def queue(arguments: argparse.Namespace, _settings: Settings) -> Result:
    """Decide as the arguments ask, and print how far every step and image is.

    Raises:
        NotFoundError: no such image is set aside, nor anything of such a step.
    """
    spool = Spool()
    for uid, decide, state in ((arguments.retry, spool.retry, WAITING), (arguments.drop, spool.drop, DROPPED)):
        if uid is not None:
            of_step = any(refusal.step == uid for refusal in spool.refusals(SET_ASIDE))
            decide(uid)
            write_event(SETTLE, queue="step" if of_step else "store", item=uid, state=state)
    steps = [_step_facts(spool, step) for step in spool.steps() if arguments.accession in {None, step.accession}]
    instances = [
        asdict(instance) for instance in spool.instances() if any(instance.step == step["uid"] for step in steps)
    ]
    totals = {
        state: sum(1 for instance in instances if instance["state"] == state)
        for state in (ACQUIRED, STORED, COMMITTED, SET_ASIDE)
    }
    rows = [{**step, **step["states"]} for step in steps]
    counted = [ACQUIRED, STORED, COMMITTED, SET_ASIDE]
    columns = ["accession", "step", "status", "begun", "reported", *counted, "commitment", "error"]
    return Result({"totals": totals, "steps": steps, "instances": instances}, table(rows, columns))


def digests(arguments: argparse.Namespace, _settings: Settings) -> Result:
    """Digests of the image files of an order that have not been deleted, so that a copy elsewhere can be compared."""
    spool = Spool()
    here = [
        path
        for step in spool.steps()
        if step.accession == arguments.accession
        for instance in spool.instances(step.uid)
        if (path := spool.path(instance.uid)).exists()
    ]
    found = pixel_digests(here)
    return Result({"digests": found}, table([{"uid": uid, "sha256": found[uid]} for uid in found], ["uid", "sha256"]))


def import_jpeg(arguments: argparse.Namespace, settings: Settings) -> Result:
    """A photograph joins the study."""
    source = sample_jpeg() if arguments.sample else _read(arguments.file)
    return _import(arguments, settings, lambda context, number: photograph(context, source, number=number))


def import_pdf(arguments: argparse.Namespace, settings: Settings) -> Result:
    """A document joins the study."""
    lines = ["Imaging requisition", f"Accession {arguments.accession}", "Clinical question: see order"]
    source = sample_pdf(lines) if arguments.sample else _read(arguments.file)
    title = arguments.title
    return _import(
        arguments, settings, lambda context, number: encapsulated_pdf(context, source, title=title, number=number)
    )


def _import(arguments: argparse.Namespace, settings: Settings, make: Any) -> Result:
    """Put an object into the step in progress; when it has ended, into a further one (IHE's append case)."""
    links, spool = links_of(settings), Spool()
    with spool.delivering(wait=True):
        step = acquisition.find_step(spool, accession=arguments.accession, step_id="")
        appended = step.status != IN_PROGRESS
        if appended:
            step = acquisition.perform(links, spool, acquisition.item_of(step), commit=True)
        number = 100 + len(spool.instances(step.uid))
        acquisition.add(spool, step, make(acquisition.study_of(links, step), number))
        delivery = store_images(links, spool, spool.instances(step.uid, [ACQUIRED]))
        error = delivery.error
        if appended:
            step = acquisition.end(spool, step, COMPLETED)
            error = error or _end(links, spool, step)
    return _outcome(spool, step, delivery, error)


def _finish(arguments: argparse.Namespace, settings: Settings, status: str, reason: str) -> Result:
    links, spool = links_of(settings), Spool()
    accession, step_id = _named(arguments)
    with spool.delivering(wait=True):
        step = acquisition.find_step(spool, accession=accession, step_id=step_id)
        if not arguments.again:
            step = acquisition.end(spool, step, status, reason)
        else:  # another end: the same one, told again, is no change
            step = replace(step, ended=datetime.now(tz=UTC).timestamp())
        report_end(links, spool, step)
    return _outcome(spool, step)


def _named(arguments: argparse.Namespace) -> tuple[str, str]:
    accession, step_id = arguments.what or "", arguments.step or ""
    if not accession and not step_id:
        raise ArgumentError("No step is named.", remedy="Give an accession number, or --step ID.")
    return accession, step_id


def _end(links: Links, spool: Spool, step: PerformedStep) -> SimulatorError | None:
    try:
        report_end(links, spool, step)
    except SimulatorError as error:
        return error
    return None


def _commit(links: Links, spool: Spool, step: PerformedStep, seconds: float) -> SimulatorError | None:
    try:
        transaction = request_commitment(links, spool, step)
    except SimulatorError as error:
        return error
    if transaction is not None:
        wait_for(spool, transaction, seconds)
    return None


def _read(name: str | None) -> bytes:
    """Read a file, or standard input for ``-``."""
    if not name:
        raise ArgumentError("No file is named.", remedy="Name a file, - for standard input, or use --sample.")
    try:
        if name == "-":
            content = sys.stdin.buffer.read(MAXIMUM_FILE + 1)
        else:
            with Path(name).open("rb") as handle:
                content = handle.read(MAXIMUM_FILE + 1)
    except OSError as error:
        raise ArgumentError(
            f"{name} cannot be read: {error.strerror}", remedy="The user modality must be able to read it."
        ) from error
    if len(content) > MAXIMUM_FILE:
        raise ArgumentError(f"{name} is larger than 128 MiB.", remedy="Give a smaller file.")
    return content


def _step_facts(spool: Spool, step: PerformedStep) -> dict[str, Any]:
    instances = spool.instances(step.uid)
    transactions = spool.transactions(step.uid)
    refusals = [refusal for refusal in spool.refusals() if refusal.step == step.uid]
    errors = sorted({instance.error for instance in instances if instance.error} | {one.error for one in refusals})
    item = acquisition.item_of(step)
    return {
        "accession": step.accession,
        "step": step.step_id,
        "uid": step.uid,
        "study_uid": str(item.StudyInstanceUID),
        "patient_id": str(item.get("PatientID") or ""),
        "status": step.status,
        "begun": step.begun,
        "reported": step.reported,
        "started": datetime.fromtimestamp(step.started, tz=UTC).isoformat(timespec="seconds"),
        "series": list(dict.fromkeys(instance.series for instance in instances)),
        "instances": len(instances),
        "bytes": sum(instance.bytes for instance in instances),
        "states": {
            state: sum(1 for instance in instances if instance.state == state)
            for state in (ACQUIRED, STORED, COMMITTED, SET_ASIDE)
        },
        "commitment": transactions[-1].state if transactions else "",
        "transactions": [
            {"uid": transaction.uid, "peer": transaction.peer, "state": transaction.state}
            for transaction in transactions
        ],
        "set_aside": [refusal.what for refusal in refusals if refusal.state == SET_ASIDE],
        "error": "; ".join(errors),
    }


def _outcome(
    spool: Spool, step: PerformedStep, delivery: Delivery | None = None, error: SimulatorError | None = None
) -> Result:
    """The step's facts; an error that left something for the service to deliver decides the exit code."""
    data = _step_facts(spool, next(known for known in spool.steps() if known.uid == step.uid))
    states = data["states"]
    text = (
        f"step {data['step']} of {data['accession']}: {data['status']}; {data['instances']} objects: "
        f"{states[ACQUIRED]} waiting, {states[STORED]} stored, {states[COMMITTED]} committed"
    )
    if delivery is not None:
        data["delivery"] = {
            "stored": delivery.stored,
            "waiting": delivery.waiting,
            "bytes": delivery.bytes,
            "seconds": round(delivery.seconds, 3),
        }
    code = 0
    if delivery is not None and delivery.waiting:
        code = 1
    if error is not None:
        code = error.exit_code
        data["undelivered"] = error.as_dict()
        text += f"\nnot delivered: {error.message}\nremedy: {error.remedy} The service will try again."
    return Result(data, text, code)
