"""``pacslab plan``: what up would do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lab.cli.target import described_lab
from lab.engine import names
from lab.engine.hosts import observe
from lab.engine.requirements import cgroups_of
from lab.operate.bring_up import images_of_hosts
from lab.operate.plan import Action, Plan, compare, make_plan

if TYPE_CHECKING:
    import argparse

    from lab.engine.lab import Lab

EXAMPLE = """
pacslab plan
pacslab plan --site small-practice --json
"""
UNBUILT = "not built yet"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Plan has the common arguments only."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Print the plan; 0 whether or not there is anything to do."""
    lab = described_lab(arguments)
    images, missing = _images(lab)
    there = observe(lab.docker, lab.name)
    containers = compare(lab.name, lab.site, images, there, cgroups_of(lab.docker), folder=lab.folder)
    plan = make_plan(lab.docker, lab, there, containers, missing)
    print(
        json.dumps({"lab": lab.name, "site": lab.site.name, **plan.as_dict()}) if arguments.json else _text(lab, plan)
    )
    return 0


def _images(lab: Lab) -> tuple[dict[str, str], list[str]]:
    """An image for each host and the fabric, and the names of those that have to be built."""
    if lab.record.images:
        return lab.record.images, []
    from lab.engine.images import Images  # noqa: PLC0415 # with the next, of no use to --help
    from lab.images.ensure import present, recipes_of  # noqa: PLC0415
    from lab.settings import load_settings  # noqa: PLC0415

    recipes = recipes_of(lab.site, load_settings())
    there = present(Images(lab.docker.path), recipes.values())
    made = {roles: there.get(recipe.key, UNBUILT) for roles, recipe in recipes.items()}
    missing = [recipe.name for recipe in recipes.values() if recipe.installs and recipe.key not in there]
    return images_of_hosts(lab, made), missing


def _text(lab: Lab, plan: Plan) -> str:
    memory = f"memory: the site asks for {plan.memory}"
    if plan.nothing:
        return f"{lab.name}: nothing to do.\n{memory}"
    lines = [f"build image {image}" for image in plan.images]
    if (action := plan.containers.actions[names.FABRIC]) is not Action.KEEP:
        lines.append(f"{action.value} the fabric")
    lines += [
        f"{action.value} host {host}"
        for host, action in plan.containers.actions.items()
        if host != names.FABRIC and action is not Action.KEEP
    ]
    lines += [f"network: {change}" for change in plan.links]
    lines += [f"configure host {host}" for host in plan.configure]
    return "\n".join([f"{lab.name}: up would", *(f"  {line}" for line in lines), memory])
