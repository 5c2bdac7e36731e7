"""Messages as hl7apy builds and writes them: its own example of a patient, and an order for that patient."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hl7apy.core import Message

PATIENT, AUTHORITY, NAME = "566-554-3423", "GHH", "EVERYMAN^ADAM"
"""Of the message in hl7apy's documentation (https://crs4.github.io/hl7apy)."""


def registration(site: str, control_id: str, patient: str = PATIENT) -> str:
    """ADT^A04 (RAD-1), framed as MLLP wants it."""
    message = Message("ADT_A01", version="2.5.1")
    _header(message, site, "ADT^A04^ADT_A01", control_id)
    message.evn.evn_2 = _now()
    message.pid.pid_1 = "1"
    message.pid.pid_3 = f"{patient}^^^{AUTHORITY}^MR"
    message.pid.pid_5 = f"{NAME}^A"
    message.pid.pid_7 = "19610615"
    message.pid.pid_8 = "M"
    message.pid.pid_11 = "2222 HOME STREET^^ANN ARBOR^MI^^USA"
    message.nk1.nk1_1 = "1"
    message.nk1.nk1_2 = "NUCLEAR^NELDA^W"
    message.nk1.nk1_3 = "SPO"
    message.pv1.pv1_2 = "O"
    return str(message.to_mllp())


def order(site: str, control_id: str, placer: str, modality: str) -> str:
    """ORM^O01 (RAD-2), framed as MLLP wants it."""
    message = Message("ORM_O01", version="2.5.1")
    _header(message, site, "ORM^O01^ORM_O01", control_id)
    patient = message.add_group("ORM_O01_PATIENT")
    patient.pid.pid_3 = f"{PATIENT}^^^{AUTHORITY}^MR"
    patient.pid.pid_5 = f"{NAME}^A"
    ordered = message.add_group("ORM_O01_ORDER")
    ordered.orc.orc_1 = "NW"
    ordered.orc.orc_2 = placer
    chosen = ordered.add_group("ORM_O01_ORDER_DETAIL").add_group("ORM_O01_OBRRQDRQ1RXOODSODT_SUPPGRP")
    chosen.obr.obr_1 = "1"
    chosen.obr.obr_2 = placer
    chosen.obr.obr_4 = f"{modality}HEAD^{modality} of the head^L"
    chosen.obr.obr_24 = modality
    return str(message.to_mllp())


def _header(message: Any, site: str, kind: str, control_id: str) -> None:
    message.msh.msh_3 = "EHR9"
    message.msh.msh_4 = site.upper()
    message.msh.msh_5 = "RIS1"
    message.msh.msh_6 = site.upper()
    message.msh.msh_7 = _now()
    message.msh.msh_9 = kind
    message.msh.msh_10 = control_id
    message.msh.msh_11 = "P"
    message.msh.msh_12 = "2.5.1"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y%m%d%H%M%S")
