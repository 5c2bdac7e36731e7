"""Which lab and which description a verb means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lab.engine.record import load_record
from lab.errors import UsageError
from lab.settings import load_settings

if TYPE_CHECKING:
    import argparse

    from lab.engine.lab import Lab


def described_lab(arguments: argparse.Namespace) -> Lab:
    """The lab as its description has it now, whether it runs or not.

    Raises:
        UsageError: the description has mistakes, or the lab is one of another site.
    """
    from lab.engine.lab import Lab  # noqa: PLC0415 # with the next, slower than a wrong name deserves
    from lab.topology.load import site_path  # noqa: PLC0415

    settings = load_settings()
    folder = settings.lab_folder(arguments.lab)
    record = load_record(folder)
    if record and arguments.site_given and arguments.site != record.site:
        raise UsageError(
            f"Lab {arguments.lab!r} is one of site {record.site!r}, not of {arguments.site!r}.",
            remedy="Name another lab with --lab, or take this one down first.",
        )
    topology = Path(record.topology) if record else site_path(arguments.site, settings.inventories)
    return Lab.describe(arguments.lab, topology, folder, record)
