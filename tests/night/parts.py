"""What a night runs, in order: each part is commands of the product, as a person would type them."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from lab.scenarios.registry import scenarios
from lab.topology.load import load_site, site_names, site_path

LAB = "night"


@dataclass(frozen=True)
class Part:
    """One part of the night.

    Attributes:
        name: What the table calls it; its output goes to a file of this name.
        commands: Run one after the other; the part fails with the first that fails. ``pacslab`` is the command of
            this checkout.
        always: Commands that are run afterwards, whatever came before.
    """

    name: str
    commands: tuple[tuple[str, ...], ...]
    always: tuple[tuple[str, ...], ...] = ()


def site_part(site: str) -> Part:
    """A site from its images to its checks: brought up, used for what it is for, and judged by every check.

    A site of foreign devices is for no scenario, since nothing runs on them; a lab test works with its devices.
    """
    lab = ("--site", site, "--lab", f"{LAB}-{site}")
    described = load_site(site_path(site))
    is_used = any(not scenario.unfit(described) for scenario in scenarios().values())
    use = (("pacslab", "scenario", "run", "--all", *lab),) if is_used else ()
    return Part(
        f"site {site}", (("pacslab", "up", *lab), *use, ("pacslab", "verify", *lab)), (("pacslab", "down", *lab),)
    )


def parts() -> list[Part]:
    """Every part; a site of ``inventories/`` is one by being there."""
    lab = ("--lab", LAB)
    return [
        Part("rebuild", (("pacslab", "build", "--fresh", "--prune"),)),
        Part("lint and unit", (("make", "lint", "coverage"),)),
        Part("fuzz", ((sys.executable, "-m", "tests.night.fuzz"),)),
        Part("lab tests", (("make", "lab-test", "LAB_TESTS=lab"),)),
        Part("roles", (("pacslab", "role", "--all", "--lab", f"{LAB}-role"),)),
        *(site_part(site) for site in site_names()),
        Part("lab", (("pacslab", "up", *lab), ("pacslab", "scenario", "run", *lab))),
        Part("sabotage", (("pacslab", "verify", "sabotage", *lab),)),
        Part("abuse", (("pacslab", "verify", "abuse", *lab),)),
        Part("detections", (("pacslab", "verify", "detections", *lab),)),
        Part("drills", (("pacslab", "drill", "run", *lab),)),
        Part("bench dicom", (("pacslab", "bench", "dicom", *lab),)),
        Part("bench workflow", (("pacslab", "bench", "workflow", *lab),)),
        Part("bench viewer", (("pacslab", "bench", "viewer", *lab),)),
        Part("bench siem", (("pacslab", "bench", "siem", *lab),)),
        Part("bench verify", (("pacslab", "bench", "verify", *lab),), (("pacslab", "down", *lab),)),
        Part("bench up", (("pacslab", "bench", "up", "--repetitions", "3"),)),
    ]
