"""The command ``pacslab-ehr``: its verbs and their arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.command_line import Verb, run
from simulators.person.cli import PERSON_VERBS
from simulators.sections import SECTIONS
from simulators.settling import settling_arguments

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

DESCRIPTION = (
    "Electronic health record: patients, orders and results, over HL7 v2.5.1.\n"
    "What changes is told to the RIS; a message that is not answered is kept and sent again by the service."
)


def _person(parser: argparse.ArgumentParser, *, required: bool) -> None:
    parser.add_argument("--family", required=required, help="family name (PID-5.1)")
    parser.add_argument("--given", required=required, help="given name (PID-5.2)")
    parser.add_argument("--birth-date", required=required, help="YYYYMMDD (PID-7)")
    parser.add_argument("--sex", required=required, choices=["M", "F", "O", "U"], help="PID-8")


def _register(parser: argparse.ArgumentParser) -> None:
    _person(parser, required=True)
    parser.add_argument("--id", help="patient identifier (PID-3.1); otherwise the next free one")
    parser.add_argument("--patient-class", default="O", choices=["I", "O", "E"], help="PV1-2; O is outpatient")


def _update(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("patient", help="patient identifier")
    _person(parser, required=False)


def _merge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prior", help="the identifier that goes (MRG-1)")
    parser.add_argument("--into", required=True, help="the identifier that stays (PID-3)")


def _admit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("patient", help="patient identifier")
    parser.add_argument("--attending", required=True, help="who attends the patient, by the name at sign-on (PV1-7)")


def _discharge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("patient", help="patient identifier")


def _order(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("patient", help="patient identifier")
    parser.add_argument("--code", required=True, help="procedure code (OBR-4.1)")
    parser.add_argument("--text", required=True, help="what is to be done (OBR-4.2)")
    parser.add_argument("--scheme", default="99PACSLAB", help="coding scheme of the code (OBR-4.3)")
    parser.add_argument("--modality", required=True, choices=SECTIONS, help="OBR-24; CUS is cardiac ultrasound")
    parser.add_argument(
        "--priority", default="R", choices=["S", "A", "R"], help="TQ1-9: S stat, A as soon as possible, R routine"
    )
    parser.add_argument("--reason", default="", help="reason for study (OBR-31)")
    parser.add_argument("--wait", type=float, default=0, metavar="SECONDS", help="wait until the RIS has scheduled it")


def _change(parser: argparse.ArgumentParser) -> None:
    _placer(parser)
    parser.add_argument("--code", help="procedure code (OBR-4.1), of the same scheme")
    parser.add_argument("--text", help="what is to be done (OBR-4.2)")
    parser.add_argument("--priority", choices=["S", "A", "R"], help="TQ1-9")
    parser.add_argument("--reason", help="reason for study (OBR-31)")


def _placer(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("placer", help="placer order number (ORC-2)")


def _of_patient(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--patient", help="only this patient's")


def _of_order(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--placer", help="only this order's")


VERBS = (
    *PERSON_VERBS,
    Verb(
        "register",
        "Register a patient: ADT^A04 (RAD-1)",
        "simulators.ehr.patients:register",
        "register --family Weber --given Anna --birth-date 19700412 --sex F --json",
        _register,
        action="register-patient",
    ),
    Verb(
        "update",
        "Change a patient's demographics: ADT^A08 (RAD-12)",
        "simulators.ehr.patients:update",
        "update P0000001 --family Weber-Klein",
        _update,
        action="register-patient",
    ),
    Verb(
        "merge",
        "Merge a patient's record into another: ADT^A40 (RAD-12)",
        "simulators.ehr.patients:merge",
        "merge P0000002 --into P0000001",
        _merge,
        action="register-patient",
    ),
    Verb(
        "admit",
        "Admit a patient to somebody's care: ADT^A01 (RAD-1)",
        "simulators.ehr.admissions:admit",
        "admit P0000001 --attending n.okafor",
        _admit,
        action="register-patient",
    ),
    Verb(
        "discharge",
        "End a patient's admission: ADT^A03 (RAD-12)",
        "simulators.ehr.admissions:discharge",
        "discharge P0000001",
        _discharge,
        action="register-patient",
    ),
    Verb(
        "order",
        "Place an imaging order: ORM^O01 NW (RAD-2)",
        "simulators.ehr.orders:place",
        "order P0000001 --code CTHEAD --text 'CT head without contrast' --modality CT --wait 10 --json",
        _order,
        action="place-order",
    ),
    Verb(
        "change",
        "Change an order that has not begun: ORM^O01 XO (RAD-2)",
        "simulators.ehr.orders:change",
        "change O0000001 --code CTABD --text 'CT abdomen' --priority S",
        _change,
        action="place-order",
    ),
    Verb(
        "cancel",
        "Cancel an order: ORM^O01 CA (RAD-2)",
        "simulators.ehr.orders:cancel",
        "cancel O0000001",
        _placer,
        action="place-order",
    ),
    Verb("patients", "List patients", "simulators.ehr.patients:listing", "patients --json"),
    Verb("orders", "List orders", "simulators.ehr.orders:listing", "orders --patient P0000001", _of_patient),
    Verb(
        "results",
        "Read results: reports",
        "simulators.ehr.orders:results",
        "results --placer O0000001 --json",
        _of_order,
        action="read-report",
    ),
    Verb(
        "show",
        "Show an order with its messages, and which results there are",
        "simulators.ehr.orders:show",
        "show O0000001 --json",
        _placer,
    ),
    Verb(
        "outbox",
        "List messages sent and to be sent; decide on those that were set aside",
        "simulators.ehr.record:outbox",
        "outbox --retry 17",
        settling_arguments,
    ),
    Verb("serve", "Listen for HL7 and deliver the outbox until stopped", "simulators.ehr.serve:serve", "serve"),
)


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    return run("pacslab-ehr", DESCRIPTION, "ehr", VERBS, argv)
