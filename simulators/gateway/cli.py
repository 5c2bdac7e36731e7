"""The command ``pacslab-gateway``: its verbs and their arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.command_line import Verb, run

if TYPE_CHECKING:
    from collections.abc import Sequence

DESCRIPTION = (
    "Access gateway: of the archives' DICOMweb, each person who is signed in gets what the person may see.\n"
    "`serve` is the service, behind the viewer's web server; `emergencies` is for the privacy officer."
)

VERBS = (
    Verb("serve", "Serve the viewer's web server until stopped", "simulators.gateway.serve:serve", "serve"),
    Verb(
        "emergencies",
        "List who took access to which patient in an emergency, and why",
        "simulators.gateway.emergencies:listing",
        "emergencies --json",
    ),
)


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    return run("pacslab-gateway", DESCRIPTION, "gateway", VERBS, argv)
