"""``pacslab weaknesses``: known weaknesses of what hosts are made of, each with what is done about it."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

from lab.cli import installed as cli_installed
from lab.cli.columns import columns
from lab.cli.target import described_lab
from lab.settings import load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from lab.assets.matches import Match
    from lab.assets.model import Installed
    from lab.assets.updates import Updates

EXAMPLE = """
pacslab weaknesses
pacslab weaknesses --host pacs-rad --running
pacslab weaknesses --updates --json
pacslab weaknesses --all
"""
WIDTH = 118


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of which hosts, and what besides."""
    cli_installed.add_arguments(parser)
    parser.add_argument("--all", action="store_true", help="list those too that no host has")
    parser.add_argument("--updates", action="store_true", help="also list the security updates that hosts lack")
    parser.add_argument("--log", action="store_true", help="also write them into the log of the running lab, as events")


def run(arguments: argparse.Namespace) -> int:
    """Print them; 1 when nobody has decided about one, or nothing is known of a host of ours; 0 otherwise."""
    from lab.assets.known import known_at  # noqa: PLC0415 # with those that follow, slow to import; --help needs none
    from lab.assets.matches import matches  # noqa: PLC0415
    from lab.assets.tell import tell, telling_host, weakness_event  # noqa: PLC0415

    lab = described_lab(arguments)
    installed = cli_installed.installed_on(lab, arguments)
    found = matches(known_at(lab.site), installed)
    updates = _updates(installed) if arguments.updates else None
    if arguments.log:
        tell(lab, telling_host(lab.site), [weakness_event(match, host) for match in found for host in match.hosts])
    shown = [match for match in found if match.present or arguments.all]
    if arguments.json:
        print(json.dumps(_as_dict(shown, installed, updates)))
    else:
        print(_as_text(shown, installed, updates))
    unknown = any(own.reason for host, own in installed.items() if host in lab.site.managed)
    return 1 if unknown or any(match.unanswered for match in found) else 0


def _updates(installed: Mapping[str, Installed]) -> Updates:
    from lab.assets.updates import missing_updates  # noqa: PLC0415 # only who asks for it pays

    return missing_updates(installed, load_settings().state / "cache" / "apt-index")


def _as_dict(found: Sequence[Match], installed: Mapping[str, Installed], updates: Updates | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "unanswered": [name for match in found if match.unanswered for name in match.weakness.ids],
        "weaknesses": [
            {
                "part": match.part,
                **match.weakness.model_dump(mode="json", exclude={"comes_with"}),
                "severity": match.weakness.severity,
                "hosts": {host: [package.purl for package in packages] for host, packages in match.hosts.items()},
            }
            for match in found
        ],
        "unknown": {host: own.reason for host, own in installed.items() if own.reason},
    }
    if updates is not None:
        told["updates"] = {
            "index_from": updates.index_from.isoformat() if updates.index_from else None,
            "problem": updates.problem,
            "hosts": {
                host: [
                    {"package": own.package, "installed": own.installed, "available": own.available}
                    for own in lacks
                    if own.security
                ]
                for host, lacks in updates.hosts.items()
            },
        }
    return told


def _as_text(found: Sequence[Match], installed: Mapping[str, Installed], updates: Updates | None) -> str:
    lines = [line for match in found for line in _told(match)]
    unknown = [host for host, own in installed.items() if own.reason]
    if unknown:
        lines.append(f"not looked at: {', '.join(unknown)}: {'; '.join({installed[host].reason for host in unknown})}")
    present = [match for match in found if match.present]
    open_ids = sorted({name for match in present if match.unanswered for name in match.weakness.ids})
    lines.append(f"{sum(len(match.weakness.ids) for match in present)} known weaknesses")
    if open_ids:
        lines.append(f"nobody has decided about {', '.join(open_ids)}: record a response (docs/weaknesses.md)")
    return "\n".join([*lines, *(_lacking(updates) if updates is not None else [])])


def _told(match: Match) -> list[str]:
    weakness = match.weakness
    score = "" if weakness.cvss is None else f" {weakness.cvss}"
    where = ", ".join(match.hosts) or "on no host"
    lines = [f"{match.part}: {', '.join(weakness.ids)} ({weakness.severity}{score}): {where}"]
    lines += textwrap.wrap(weakness.what, WIDTH, initial_indent="    ", subsequent_indent="    ")
    response = weakness.response
    told = "NO RESPONSE" if response is None else f"{response.answer} ({response.date}): {response.reason}"
    return [*lines, *textwrap.wrap(told, WIDTH, initial_indent="    ", subsequent_indent="    ")]


def _lacking(updates: Updates) -> list[str]:
    lines = ["", "security updates"]
    if updates.problem:
        lines.append(f"  {updates.problem}")
    if updates.index_from is None:
        return [*lines, "  nothing is known of them"]
    lines.append(f"  by the index of {updates.index_from:%Y-%m-%d %H:%M} UTC")
    rows = [
        (f"  {host}", own.package, own.installed, own.available)
        for host, lacks in updates.hosts.items()
        for own in lacks
        if own.security
    ]
    if not rows:
        return [*lines, "  none is missing"]
    return [
        *lines,
        *columns([("  HOST", "PACKAGE", "INSTALLED", "AVAILABLE"), *rows]),
        "  `pacslab build --fresh` takes them",
    ]
