"""Command lines: some of every verb, made from what its own parser declares, so that a new verb is tried by itself."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from lab.cli.main import VERBS, build_parser
from tests.night.fuzz.state import CLONE, KEPT, LAB, SITE_NAME

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from random import Random

HOSTILE = (
    "", " ", "-1", "-5", "0", "1", "99999", "65536", "1e309", "nan", "inf", "-inf", "9" * 5000, "²", "٣", "1_000",
    "0x10", "a" * 300, "a" * 100_000, "../../..", "/proc/self/mem", "/no/such/folder/file", ".", "..", "a\nb", "a\tb",
    "\x1b[31m", "é", "\udcff\udcfe", "%s%n", "{}", "{0}", "[", "(", "*", "**", "?", "=", "ct1=ssh://", "ssh://a@b:c",
    ":", "host:", ":1", "host:²", "ct1", "all", "last", "list", "small-practice", "\\", "'", '"', "$(id)", "-", "+",
)  # fmt: skip
"""What people mistype, what programs pass by mistake, and what somebody tries who means harm."""
KNOWN = (LAB, CLONE, KEPT, SITE_NAME, "reference", "pacs1", "fw1", "ct1", "ws1", "verify", "segmentation", "hardening")
READING = (
    ("status",), ("status", "--json"), ("doctor",), ("doctor", "--json"), ("exec", "fw1", "--", "id"), ("plan",),
    ("up",), ("down",), ("logs", "fw1"), ("graph",), ("runs",), ("runs", "--json"), ("runs", "show", "last"),
    ("runs", "show", "last", "--json"), ("controls",), ("controls", "--json"), ("pki", "list"), ("snapshot", "list"),
    ("pki", "list", "--json"), ("pki", "show", "fw1", "syslog"), ("pki", "revoke", "fw1", "syslog"),
    ("pki", "rotate", "fw1"), ("snapshot", "list", "--json"), ("snapshot", "remove", KEPT), ("snapshot", "save", "new"),
    ("up", "--from", KEPT, "--lab", "new"), ("up", "--lab", CLONE), ("status", "--lab", CLONE),
    ("down", "--lab", CLONE),
    ("plan", "--lab", CLONE, "--json"), ("forward", "--stop", "8443"), ("forward", "fw1:1", "--as", "nobody"),
    ("scenario", "run"), ("verify", "segmentation"), ("verify", "list"), ("role", "--changed", "--list"),
    ("people",), ("people", "show", "a.rivera"), ("people", "code", "a.rivera", "--json"),
    ("quarantine",), ("quarantine", "release", "pacs1", "1"),
    ("build", "--remove"), ("pki", "issue", "--site", SITE_NAME, "--folder", "../issued"),
)  # fmt: skip
"""Every way in which a verb reads files of the state."""
ASKING = (
    *READING, ("weaknesses", "--running"), ("weaknesses", "--running", "--json"), ("assets",), ("assets", "--json"),
    ("alerts",), ("alerts", "--json"), ("audit", "verify"), ("audit", "show", "--patient", "P1", "--json"),
    ("verify", "assets"), ("verify", "containment"), ("verify", "hardening", "--host", "fw1"),
    ("audit", "verify", "--json"), ("quarantine", "--json"), ("snapshot", "save", "again", "--json"),
    ("scenario", "run", "--json"),
    ("ssh", "fw1", "--as", "a.rivera"), ("bench", "dicom"), ("bench", "verify"), ("drill", "run", "--json"),
)  # fmt: skip
"""Every way in which a verb asks hosts or the fabric for something."""
NEVER = {"--background", "--follow"}
"""Flags that keep a verb going for ever, as they are to."""
ENDLESS = {"--output", "--junit", "--sbom", "--folder"}
"""Flags that name something to be written: only below the folder that the verb is started in."""


def reading(random: Random) -> tuple[str, ...]:
    """A command that reads files of the state."""
    return random.choice(READING)


def hostile(random: Random) -> tuple[tuple[str, ...], dict[str, str]]:
    """Words for some verb, and variables of the environment that stand in for some of its flags."""
    if random.random() < 0.05:
        return tuple(random.choices(HOSTILE, k=random.randrange(4))), {}
    verb = random.choice(list(VERBS))
    actions = _actions(verb)
    words: list[str] = [verb]
    environment: dict[str, str] = {}
    for action in actions:
        if not action.option_strings:
            words += _values(action, random)
            continue
        flag = action.option_strings[-1]
        if flag in NEVER or random.random() < 0.7:
            continue
        if random.random() < 0.2:
            environment[f"PACSLAB_{flag[2:].replace('-', '_').upper()}"] = _value(action, random).replace("\0", "")
        else:
            words += [flag, *([] if action.nargs == 0 else [_value(action, random)])]
    if random.random() < 0.1:
        words.insert(random.randrange(1, len(words) + 1), random.choice(HOSTILE))
    return tuple(words), environment


def every_verb() -> Iterator[str]:
    """The verbs that there are."""
    yield from VERBS


def _actions(verb: str) -> list[argparse.Action]:
    module: Any = importlib.import_module(f"lab.cli.{verb}")
    parser = build_parser(verb, module)
    return [action for action in parser._actions if "--help" not in action.option_strings]  # noqa: SLF001 # argparse tells them nowhere else


def _values(action: argparse.Action, random: Random) -> list[str]:
    many = action.nargs in {"*", "+", "?"}
    return [_value(action, random) for _ in range(random.randrange(3) if many else 1)]


def _value(action: argparse.Action, random: Random) -> str:
    if ENDLESS.intersection(action.option_strings):
        return random.choice(("out", "a/b", "a" * 300, "", ".", "é", "\udcff", "file/below", "x\ny"))
    if action.choices and random.random() < 0.7:
        return str(random.choice(list(action.choices)))
    return random.choice(KNOWN if random.random() < 0.4 else HOSTILE)
