"""How the commands of the simulators parse, print and end: one shell around every verb."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulators.errors import SimulatorError
from simulators.events.actions import COMMAND
from simulators.events.outlets import feeds_journal, host_log
from simulators.events.report import write_failure
from simulators.identity import become_service_user
from simulators.printable import printable
from simulators.settings import load

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ACT = "simulators.person.acting:act"
"""Finds out who acts; named, because it is imported for a verb that somebody acts with, and by no other."""
EXIT_CODES = """exit codes:
  0  done
  1  the peer answered and refused, or the person may not
  2  the arguments are wrong or name nothing
  3  the peer did not answer
  4  this host is not ready (settings, certificate, user, database)
  5  anything else
  130  interrupted"""


NAMING = {
    "accession": "accession",
    "placer": "placer",
    "id": "patient",
    "patient": "patient",
    "into": "patient",
    "prior": "prior",
    "study": "study",
    "step": "step",
    "rejection": "rejection",
}
"""Arguments that name an order, a patient or a study by number, and so may stand in an event, with their key there."""


@dataclass(frozen=True)
class Result:
    """What a verb found or did: `data` for ``--json``, `text` for a person."""

    data: Any
    text: str
    exit_code: int = 0


@dataclass(frozen=True)
class Verb:
    """One verb of a command.

    ``run`` is ``module:function``, imported when the verb is used, so that ``--help`` is quick; the function
    takes the parsed arguments and the settings and returns a :class:`Result`, or None when it has served.
    ``action`` is one of the policy's, where a person acts: the function finds who in ``arguments.acting``.
    """

    name: str
    summary: str
    run: str
    example: str
    arguments: Callable[[argparse.ArgumentParser], None] | None = None
    action: str = ""


def parser_of(program: str, description: str, verbs: Sequence[Verb]) -> argparse.ArgumentParser:
    """Return the parser of a command; every verb takes ``--json``."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog=program, description=description, epilog=EXIT_CODES, formatter_class=raw)
    chooser = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in verbs:
        own = chooser.add_parser(
            verb.name,
            help=verb.summary,
            description=verb.summary,
            epilog=f"example:\n  {program} {verb.example}\n\n{EXIT_CODES}",
            formatter_class=raw,
        )
        if verb.arguments is not None:
            verb.arguments(own)
        if verb.action:
            own.add_argument("--as", dest="person", metavar="PERSON", help="who acts, where several are signed in")
        own.add_argument("--json", action="store_true", help="print JSON")
    return parser


def run(program: str, description: str, user: str, verbs: Sequence[Verb], argv: Sequence[str]) -> int:
    """Parse `argv`, become `user`, run the verb and print its result; return the exit code."""
    arguments = parser_of(program, description, verbs).parse_args(argv)
    chosen = next(verb for verb in verbs if verb.name == arguments.verb)
    with host_log(program), ExitStack() as meanwhile:
        try:
            become_service_user(user)
            settings = load()
            if chosen.action:
                _imported(ACT)(arguments, settings, chosen.action, meanwhile)
            result: Result | None = _imported(chosen.run)(arguments, settings)
        except KeyboardInterrupt:
            return 130
        except Exception as error:
            named = {key: value for name, key in NAMING.items() if (value := getattr(arguments, name, None))}
            write_failure(COMMAND, error, verb=chosen.name, **named)
            if not isinstance(error, SimulatorError):
                if feeds_journal():
                    return SimulatorError.exit_code  # a traceback there would quote what a peer has sent
                raise
            if not feeds_journal():
                fail(error, as_json=arguments.json)
            return error.exit_code
    if result is None:
        return 0
    show(result, as_json=arguments.json)
    return result.exit_code


def _imported(reference: str) -> Callable[..., Any]:
    module, _, name = reference.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function


def show(result: Result, *, as_json: bool) -> None:
    """Print a result on standard output."""
    text = _json(result.data, indent=2) if as_json else _lines(result.text)
    if text:
        sys.stdout.write(text.rstrip("\n") + "\n")


def fail(error: SimulatorError, *, as_json: bool) -> None:
    """Print an error: JSON on standard output, for a person on standard error."""
    if as_json:
        sys.stdout.write(_json(error.as_dict()) + "\n")
    else:
        sys.stderr.write(f"error: {printable(error.message)}\nremedy: {printable(error.remedy)}\n")


def _json(data: Any, indent: int | None = None) -> str:
    """Return data as JSON; what a terminal would not show as it is stands there as JSON's own escapes."""
    text = json.dumps(data, indent=indent, ensure_ascii=False, default=str)
    return "".join(
        character if character == "\n" or character.isprintable() else json.dumps(character)[1:-1] for character in text
    )


def _lines(text: str) -> str:
    """Return text of several lines, each as a terminal shows it."""
    return "\n".join(printable(line) for line in text.split("\n"))


def table(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> str:
    """Return rows as aligned text, with the columns' names above; nothing found reads ``(none)``.

    A value is on one line, whatever it contains.
    """
    if not rows:
        return "(none)"
    cells = [[printable(str(row[column])) if row.get(column) is not None else "" for column in columns] for row in rows]
    widths = [max(len(line[index]) for line in [list(columns), *cells]) for index in range(len(columns))]
    lines = [list(columns), *cells]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
