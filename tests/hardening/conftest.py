"""Lets `pytest tests/hardening` judge a lab as `pacslab verify hardening` does, for who writes a check.

The lab is the one that PACSLAB_TEST_LAB names, or one of the reference site that is brought up for it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from lab.engine.lab import Lab
from lab.topology.load import load_site, site_path
from lab.verify.hardening.machines import machines_of
from lab.verify.hardening.plugin import Judging, matcher

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.verify.hardening.machines import KeptMachines


class Reached:
    """Where hosts are reached, once there is a lab."""

    machines: KeptMachines | None = None


def pytest_configure(config: pytest.Config) -> None:
    """Take part as the command does."""
    named = os.environ.get("PACSLAB_TEST_LAB")
    site = Lab.open(named).site if named else load_site(site_path("reference"))

    def machines() -> KeptMachines:
        if Reached.machines is None:
            raise RuntimeError("the lab is asked before it is up")
        return Reached.machines

    config.pluginmanager.register(Judging(site, machines, list(site.hosts), matcher(()), lambda _: None, ahead=False))


@pytest.fixture(scope="session", autouse=True)
def reached(lab: Lab) -> Iterator[None]:
    """The hosts of the lab, over kept connections."""
    Reached.machines = machines_of(lab)
    yield
    Reached.machines.close()
    Reached.machines = None
