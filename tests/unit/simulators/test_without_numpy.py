"""Services start without NumPy, which costs them a tenth of a second and 15 MB each, and which they have no use for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from simulators.commands import COMMANDS

SERVICES = ("modality", "image_manager", "ris", "ehr", "gateway")
PROGRAM = """
import importlib, pkgutil, sys
from simulators.commands import leave_out_numpy
leave_out_numpy()
importlib.import_module(f"simulators.{sys.argv[1]}.cli")
for module in pkgutil.iter_modules(importlib.import_module(f"simulators.{sys.argv[1]}").__path__):
    if module.name.startswith("serve"):
        importlib.import_module(f"simulators.{sys.argv[1]}.{module.name}")
assert sys.modules["numpy"] is None
"""


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_can_do_without(service: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, service], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_service_is_tried() -> None:
    ones = {target.split(".")[1] for target in COMMANDS.values()}
    assert ones - set(SERVICES) == {"administration", "workstation"}, "these two are commands alone"
