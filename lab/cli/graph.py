"""``pacslab graph``: a site's zones, hosts and allowed flows as a picture; a running lab's hosts coloured by health."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from lab.errors import UsageError
from lab.settings import load_settings
from lab.topology.graph import draw_mermaid, draw_svg
from lab.topology.load import load_site, site_path

if TYPE_CHECKING:
    import argparse

EXAMPLE = """
pacslab graph --output site.svg
pacslab graph --site small-practice --format mermaid
"""
DRAW = {"svg": draw_svg, "mermaid": draw_mermaid}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the format, the file, and whether a running lab is asked."""
    parser.add_argument("--format", choices=sorted(DRAW), default="svg", help="svg (default) or mermaid")
    parser.add_argument("--output", metavar="FILE", type=Path, help="write to FILE instead of the terminal")
    parser.add_argument("--offline", action="store_true", help="draw the description alone, though its lab runs")


def run(arguments: argparse.Namespace) -> int:
    """Draw; with ``--json`` the picture is in a string, beside the states of the hosts."""
    if arguments.format not in DRAW:  # argparse does not check what came from the environment
        raise UsageError(f"There is no format {arguments.format!r}.", remedy=f"Formats: {', '.join(sorted(DRAW))}.")
    site = load_site(site_path(arguments.site))
    health = None if arguments.offline else _health(arguments.lab)
    picture = DRAW[arguments.format](site, health)
    if arguments.output:
        try:
            arguments.output.write_text(picture, "utf-8")
        except OSError as error:
            raise UsageError(
                f"{arguments.output} cannot be written: {error.strerror}.", remedy="Choose a file in a folder of yours."
            ) from error
    if arguments.json:
        result = {"site": site.name, "format": arguments.format, "health": health, "picture": picture}
        print(json.dumps(result | ({"output": str(arguments.output)} if arguments.output else {})))
    elif not arguments.output:
        print(picture, end="")
    return 0


def _health(lab: str) -> dict[str, str] | None:
    """Return each host's state, or None when there is no such lab."""
    if not (load_settings().lab_folder(lab) / "lab.json").is_file():
        return None
    from lab.engine.lab import Lab  # noqa: PLC0415 # the engine is not needed to draw a description

    return {
        name: "healthy"
        if health_of_host.healthy
        else "unhealthy"
        if health_of_host.state == "running"
        else health_of_host.state
        for name, health_of_host in Lab.open(lab).health().items()
    }
