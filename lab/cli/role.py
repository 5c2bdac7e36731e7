"""``pacslab role``: try roles one by one, each on one host with what it needs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab.cli import judging
from lab.errors import UsageError
from lab.settings import load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from lab.results.model import Result
    from lab.trials.description import Subject

EXAMPLE = """
pacslab role orthanc
pacslab role --changed
pacslab role --since origin/main --list
pacslab role --all --json
"""
LAB = "trial"
"""Name of the lab that is made for each trial, unless --lab gives another."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which roles."""
    parser.add_argument("roles", nargs="*", metavar="ROLE", help="a folder of roles/; several are tried one by one")
    parser.add_argument("--all", action="store_true", help="try every role")
    parser.add_argument("--changed", action="store_true", help="try those that have not passed as they are now")
    parser.add_argument(
        "--since", metavar="COMMIT", help="try those that differ from a commit; both: those that also do"
    )
    parser.add_argument("--list", action="store_true", help="only say which, and try none")
    parser.add_argument("--keep", action="store_true", help="leave the last trial's lab running, to look into it")
    judging.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Try the roles; 0 when all passed, 1 when not."""
    settings = load_settings()
    from lab.trials.record import Tried, key  # noqa: PLC0415 # --help needs none of it

    tried = Tried(settings.state)
    subjects = _chosen(arguments, tried)
    if arguments.list:
        print(json.dumps([subject.role for subject in subjects]) if arguments.json else _listed(subjects))
        return 0
    name = LAB if arguments.lab == arguments.site else arguments.lab
    report: dict[str, Any] = {}
    everything: list[Result] = []
    for number, subject in enumerate(subjects, 1):
        judging.say(f"{subject.role} ({number} of {len(subjects)}) ...")
        before = key(subject)
        results, seconds, good = _try(subject, name, keep=arguments.keep and number == len(subjects))
        if good and key(subject) == before:  # files that were edited meanwhile were not tried
            tried.note(subject.role, before)
        elif not good:
            tried.forget(subject.role)
        everything += results
        report[subject.role] = {
            "passed": good,
            "seconds": round(seconds, 1),
            "results": [result.as_dict() for result in results],
        }
        judging.say(f"{subject.role} {'ok' if good else 'FAILED'} in {seconds:.1f} s")
    if arguments.junit is not None:
        from lab.results.junit import write_junit  # noqa: PLC0415

        write_junit(arguments.junit, "pacslab role", everything)
    print(json.dumps({"roles": report}, indent=1) if arguments.json else _table(report))
    return 0 if all(entry["passed"] for entry in report.values()) else 1


def _chosen(arguments: argparse.Namespace, tried: Any) -> list[Subject]:
    """The roles that are meant, each as the host that it is tried on.

    Raises:
        UsageError: none are named, or one does not exist.
    """
    from lab.topology.catalog import load_catalog  # noqa: PLC0415
    from lab.topology.load import sites_with_every_role  # noqa: PLC0415
    from lab.trials.description import subject_of  # noqa: PLC0415
    from lab.trials.record import changed_since, key  # noqa: PLC0415

    known = load_catalog()
    selects = arguments.all or arguments.changed or arguments.since is not None
    if bool(arguments.roles) == bool(selects):
        raise UsageError("Which roles?", remedy="Name some, or say --changed, --since COMMIT or --all.")
    unknown = [role for role in arguments.roles if role not in known]
    if unknown:
        raise UsageError(f"There is no role {unknown[0]!r}.", remedy=f"Roles: {', '.join(known)}.")
    settings = load_settings()
    sites = sites_with_every_role(settings.inventories)
    subjects = [subject_of(sites, role) for role in arguments.roles or known]
    if arguments.changed:
        subjects = [subject for subject in subjects if not tried.holds(subject.role, key(subject))]
    if arguments.since is not None:
        different = changed_since(arguments.since, subjects)
        subjects = [subject for subject in subjects if subject.role in different]
    return sorted(subjects, key=lambda subject: (len(subject.roles), subject.role))


def _try(subject: Subject, name: str, *, keep: bool) -> tuple[list[Result], float, bool]:
    """Try one role; images that have to be built, and results that are not good, are told as they come."""
    from lab.cli.display import sentence  # noqa: PLC0415
    from lab.engine.lock import locked  # noqa: PLC0415
    from lab.events import Bus, ImageFinished, ImageStarted, Note  # noqa: PLC0415
    from lab.trials.trial import Trial, passed, try_role  # noqa: PLC0415

    settings, bus = load_settings(), Bus()
    told = (ImageStarted, ImageFinished, Note)
    bus.subscribe(lambda event: judging.say(f"  {sentence(event)}") if isinstance(event, told) else None)
    with locked(settings.state, name):
        results, seconds = try_role(Trial(subject, name, settings, bus, keep=keep))
    for result in results:
        judging.tell(result)
    return results, seconds, passed(results)


def _listed(subjects: Sequence[Subject]) -> str:
    return "\n".join(f"{subject.role}  on {subject.host}: {' '.join(subject.roles)}" for subject in subjects)


def _table(report: dict[str, Any]) -> str:
    """One row a role: what each promise came to, and seconds."""
    if not report:
        return "Every role has passed as it is."
    width = max(len(role) for role in report)
    rows = []
    for role, entry in report.items():
        outcomes = [f"{result['id'].partition('.')[2]} {result['outcome']}" for result in entry["results"]]
        rows.append(f"{role:<{width}}  {entry['seconds']:>6.1f} s  {', '.join(outcomes)}")
    return "\n".join(rows)
