"""The command ``pacslab-image-manager``: its verbs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.command_line import Verb, run
from simulators.settling import settling_arguments

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

USER = "image-manager"


def _choice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", nargs="*", type=int, metavar="ID", help="number of an object in quarantine")
    parser.add_argument("--study", metavar="UID", help="all objects of a study")


DESCRIPTION = (
    "Image manager beside an archive: applies patient updates and merges (HL7 ADT, RAD-12) to stored images,\n"
    "keeps announced procedures (RAD-4), sends what arrives to further archives, and tells the order filler (RAD-49)."
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
    Verb("quarantine", "List objects in quarantine", "simulators.image_manager.held:quarantine", "quarantine --json"),
    Verb(
        "release",
        "Put objects out of quarantine into the archive",
        "simulators.image_manager.held:release",
        "release 3",
        _choice,
    ),
    Verb(
        "discard",
        "Give objects in quarantine up; they are deleted",
        "simulators.image_manager.held:discard",
        "discard --study 1.2.3",
        _choice,
    ),
    Verb("serve", "Serve until stopped", "simulators.image_manager.serve:serve", "serve"),
)


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    return run("pacslab-image-manager", DESCRIPTION, USER, VERBS, argv)
