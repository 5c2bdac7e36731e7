"""``pacslab verify``: check a lab's controls."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

from lab.cli import judging
from lab.engine.lab import Lab
from lab.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from lab.results.store import Run
    from lab.verify.check import Check
    from lab.verify.connection.channel import SshWay

EXAMPLE = """
pacslab verify
pacslab verify list
pacslab verify segmentation containment --junit results.xml
pacslab verify segmentation --host guest1 --json
pacslab verify --id 'containment.*'
pacslab verify abuse --from monday --json
pacslab verify hardening --site small-practice --hosts pacs1=ssh://admin@192.0.2.31
pacslab verify sabotage --id 'hardening.files.*' --from monday
"""
LIST = "list"
SABOTAGE = "sabotage"
HELP = "which checks; none for all; 'list' names them; 'sabotage' proves on a clone that they can fail"
WORDS = (LIST, SABOTAGE)
"""Words that stand where a check's name would."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which checks, on which hosts, and which of their promises."""
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=HELP)
    parser.add_argument("--host", action="append", default=[], metavar="HOST", help="judge this host; may be repeated")
    parser.add_argument(
        "--id", action="append", default=[], metavar="PATTERN", help="judge what has such an id; may be repeated"
    )
    parser.add_argument(
        "--from", dest="snapshot", metavar="SNAPSHOT", help="what checks on a clone make it from (default: the lab)"
    )
    parser.add_argument(
        "--hosts",
        action="append",
        default=[],
        metavar="[HOST=]ssh://[USER@]ADDRESS[:PORT],...",
        help="judge machines instead of a lab, as hosts of --site; with 'hardening' only",
    )
    parser.add_argument("--ssh-config", metavar="FILE", help="how ssh reaches them (default: your own configuration)")
    judging.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the checks; 0 when everything is as promised, 1 when not."""
    from lab.verify.check import Context  # noqa: PLC0415 # --help needs none of it
    from lab.verify.registry import checks, chosen  # noqa: PLC0415
    from lab.verify.run import run_checks  # noqa: PLC0415

    if arguments.checks == [LIST]:
        print(_listed(list(checks().values()), as_json=arguments.json))
        return 0
    if arguments.checks[:1] == [SABOTAGE]:
        return _sabotage(arguments)
    wanted = chosen(arguments.checks)
    lab, ways = _machines(arguments) if arguments.hosts else (Lab.open(arguments.lab), {})
    context = Context(lab, judging.say, frozenset(arguments.host), tuple(arguments.id), arguments.snapshot, ways)
    judged = arguments.host or list(ways)
    run_of = judging.kept_run(lab, "verify", arguments.checks, arguments.junit, hosts=judged, engine=not ways)
    with (
        run_of as kept,
        closing(run_checks(wanted, context)) as results,  # on Ctrl-C too: a check on a clone then removes it
    ):
        for result in results:
            judging.tell(kept.add(result))
    print(json.dumps(_as_dict(kept, wanted), indent=1) if arguments.json else judging.total(kept))
    return 0 if kept.passed else 1


def _machines(arguments: argparse.Namespace) -> tuple[Lab, dict[str, SshWay]]:
    """A site without a lab, and how its machines are reached.

    Raises:
        UsageError: another check than hardening is asked for, or an address cannot be used.
    """
    from lab.settings import load_settings  # noqa: PLC0415 # only --hosts pays for it
    from lab.topology.load import site_path  # noqa: PLC0415
    from lab.verify.hardening.addresses import ways  # noqa: PLC0415

    if arguments.checks != ["hardening"]:
        raise UsageError("--hosts is for 'verify hardening' alone: other checks need a lab.", remedy="Name that check.")
    settings = load_settings()
    name = f"{arguments.site}-machines"
    lab = Lab.describe(name, site_path(arguments.site, settings.inventories), settings.lab_folder(name))
    lab.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    options = ("-F", arguments.ssh_config) if arguments.ssh_config else ()
    return lab, ways(lab.site, ",".join(arguments.hosts).split(","), options)


def _sabotage(arguments: argparse.Namespace) -> int:
    """Prove that checks can fail, on a clone; 0 when each change was caught and nothing of them is left."""
    from lab.verify.registry import checks, chosen  # noqa: PLC0415 # --help needs none of it
    from lab.verify.sabotage.prove import prove  # noqa: PLC0415

    names = arguments.checks[1:]
    wanted = chosen(names) if names else list(checks().values())
    lab = Lab.open(arguments.lab)
    report = prove(lab, wanted, arguments.id, judging.say, arguments.snapshot)
    print(json.dumps(report.as_dict(), indent=1) if arguments.json else report.total())
    return 0 if report.passed else 1


def _as_dict(kept: Run, checks: Sequence[Check]) -> dict[str, Any]:
    """What ``--json`` prints: counts, and every result that is not simply passed."""
    completes = {check.completes.id for check in checks}
    about = [result for result in kept.results if result.id not in completes or not result.good]
    tallies = [
        check.tally([result for result in about if result.id.partition(".")[0] == check.name]) for check in checks
    ]
    number = {
        outcome: [result for result in about if result.outcome.value == outcome] for outcome in kept.summary()["counts"]
    }
    return {
        "run": kept.id,
        "checks": [check.name for check in checks],
        "checked": len(about),
        "passed": len(number["passed"]),
        "failed": [result.as_dict() for result in number["failed"]],
        "errors": [result.as_dict() for result in number["error"]],
        "skipped": [result.as_dict() for result in number["skipped"]],
        "not_applicable": [result.as_dict() for result in number["not applicable"]],
        **{key: value for tally in tallies for key, value in tally.items()},
        "seconds": round(kept.seconds, 2),
    }


def _listed(checks: Sequence[Check], *, as_json: bool) -> str:
    if as_json:
        return json.dumps(
            [
                {
                    "name": check.name,
                    "summary": check.summary,
                    "changes_lab": check.changes_lab,
                    "promises": {promise.id: promise.text for promise in (*check.promises, check.completes)},
                }
                for check in checks
            ],
            indent=1,
        )
    lines = []
    for check in checks:
        lines.append(f"{check.name}: {check.summary}" + (" (only when named)" if check.changes_lab else ""))
        lines += [f"    {promise.id}  {promise.text}" for promise in check.promises]
    return "\n".join(lines)
