"""Where the image manager finds its archive and keeps its own state: ``/etc/pacslab/image-manager.json``."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from simulators.errors import NotReadyError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_PATH = Path("/etc/pacslab/image-manager.json")
PATH_VARIABLE = "PACSLAB_IMAGE_MANAGER_CONFIG"


@dataclass(frozen=True)
class Configuration:
    """The archive's REST interface, the folder for database, spool and quarantine, and the one for other programs.

    ``archive_user`` may ask at the desk; ``hold_unscheduled`` says what becomes of a study that nobody has announced.
    ``outbound`` has for each DICOM peer the loopback port of the edge that leads there.
    """

    url: str
    user: str
    password: str
    state: Path
    runtime: Path
    archive_user: str = "orthanc"
    hold_unscheduled: bool = True
    outbound: Mapping[str, int] = field(default_factory=dict)


def load() -> Configuration:
    """Read the configuration; :data:`PATH_VARIABLE` in the environment names another file.

    Raises:
        NotReadyError: the file is missing or not of the expected form.
    """
    where = Path(os.environ.get(PATH_VARIABLE, DEFAULT_PATH))
    try:
        data = json.loads(where.read_text("utf-8"))
        archive = data["orthanc"]
        return Configuration(
            url=archive["url"],
            user=archive["user"],
            password=archive["password"],
            state=Path(data["state"]),
            runtime=Path(data["runtime"]),
            archive_user=archive["runs_as"],
            hold_unscheduled=bool(data["hold_unscheduled"]),
            outbound={name: int(port) for name, port in data["outbound"].items()},
        )
    except OSError as error:
        raise NotReadyError(
            f"cannot read {where}: {error.strerror}", remedy="Configure the host with the playbook site.yml."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise NotReadyError(
            f"{where} does not have the expected form: {error!r}",
            remedy="Configure the host with the playbook site.yml.",
        ) from error
