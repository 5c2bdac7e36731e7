"""The repository's rules by their names, and their own examples sent through the repository of a lab."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.hospital.answers import Answer, read
from lab.hospital.errors import CommandFailedError
from lab.hospital.programs import program
from lab.hospital.repository import repository_of
from lab.settings import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.engine.lab import Lab

RULES = ROOT / "simulators" / "siem" / "rules"
LIBRARY, CORE = "/usr/local/lib/pacslab/siem", "/run/pacslab-siem.sock"
SWITCHES, RUNTIME = "/run/pacslab-siem-switches", "/run/pacslab-siem"
SECONDS = 20.0
"""For one rule at most, on a machine that others use too."""

Span = tuple[float, float]
"""From when to when, in seconds since 1970 by the repository's clock."""


class Sent(Answer):
    """When the examples of a rule were sent; what was sent is stored at the end of its span.

    Attributes:
        rule: The rule.
        without: Those that must raise its alert, while it was switched off.
        other: Those that must not, with the rule.
        with_: Those that must, with the rule; each by itself.
    """

    rule: str
    without: tuple[Span, ...]
    other: tuple[Span, ...]
    with_: tuple[Span, ...]


def rule_names() -> list[str]:
    """The names of the rules that come with the product: of their files, without ending."""
    return sorted(path.stem for path in RULES.glob("*.yml"))


def send_examples(lab: Lab, rules: Sequence[str]) -> list[Sent]:
    """Send the examples of rules to a lab's repository, with each rule and without.

    Raises:
        CommandFailedError: they could not be sent, or were not stored.
    """
    host = repository_of(lab.site) or ""
    argv = ["python3", "-I", "-", LIBRARY, CORE, SWITCHES, RUNTIME, *rules]
    done = lab.run(host, argv, input=program("send_examples.py"), timeout=60 + SECONDS * len(rules))
    if done.code != 0:
        raise CommandFailedError(
            f"Examples of rules were not sent at {host}: {done.stderr.strip()[-300:]}",
            remedy=f"See `pacslab logs {host}`, and whether its rules judge (`siem_rules`).",
        )
    lines = (line.replace('"with":', '"with_":', 1) for line in done.stdout.splitlines())
    return [read(Sent, line, f"the sender of examples on {host}") for line in lines]
