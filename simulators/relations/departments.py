"""Who belongs to which department: ``/etc/pacslab/relations.json``, which the site's description is the source of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from simulators.errors import NotReadyError

if TYPE_CHECKING:
    from collections.abc import Mapping

PATH = Path("/etc/pacslab/relations.json")


@dataclass(frozen=True)
class Departments:
    """Departments of people, by the name at sign-on, and of stations, by AE title."""

    people: Mapping[str, str]
    stations: Mapping[str, str]

    def people_of(self, department: str) -> list[str]:
        """Return the people of a department."""
        return [name for name, own in self.people.items() if own == department]

    def stations_of(self, department: str) -> list[str]:
        """Return the stations of a department."""
        return [title for title, own in self.stations.items() if own == department]


def load_departments(path: Path = PATH) -> Departments:
    """Read the file; where there is none, nobody is told of and nobody belongs to any.

    Raises:
        NotReadyError: it does not have the expected form.
    """
    try:
        told = json.loads(path.read_text("utf-8"))
        return Departments(dict(told["people"]), dict(told["stations"]))
    except FileNotFoundError:
        return Departments({}, {})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotReadyError(
            f"{path} does not have the expected form: {error!r}", remedy="Configure the host again."
        ) from error
