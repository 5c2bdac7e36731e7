"""The command ``pacslab-image-manager``: its verbs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.command_line import Verb, run
from simulators.settling import settling_arguments

if TYPE_CHECKING:
    from collections.abc import Sequence

DESCRIPTION = (
    "Image manager beside an archive: applies patient updates and merges (HL7 ADT, RAD-12) to stored images,\n"
    "keeps announced procedures (RAD-4), and sends what arrives to further archives."
)

VERBS = (
    Verb("status", "Show queues, cursor and last errors", "simulators.image_manager.status:status", "status --json"),
    Verb(
        "procedures",
        "List announced procedures and whether their images came",
        "simulators.image_manager.status:procedures",
        "procedures --json",
    ),
    Verb(
        "set-aside",
        "List work that failed; try it again or drop it",
        "simulators.image_manager.status:set_aside",
        "set-aside --retry 3",
        settling_arguments,
    ),
    Verb("serve", "Serve until stopped", "simulators.image_manager.serve:serve", "serve"),
)


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    return run("pacslab-image-manager", DESCRIPTION, "image-manager", VERBS, argv)
