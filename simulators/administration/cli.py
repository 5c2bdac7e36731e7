"""The command ``pacslab-administration``: its verbs and their arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.command_line import Verb, run
from simulators.person.cli import PERSON_VERBS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

PROGRAM = "pacslab-administration"
DESCRIPTION = "Administrators sign in here before they reach a host; `pacslab ssh` asks for it."
USER = "administration"
_VERBS = "simulators.administration.verbs"


def main(argv: Sequence[str]) -> int:
    """Run the command; return its exit code."""
    return run(PROGRAM, DESCRIPTION, USER, VERBS, argv)


def _prove(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="PERSON", help="the name at sign-on")
    parser.add_argument("nonce", metavar="NONCE", help="a word of the caller's own, which the ID token then has")


def _open(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="HOST", help="the host that is to be reached")
    parser.add_argument("--by", required=True, metavar="NAME", help="who opened it")


def _seal(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", required=True, metavar="NAME", help="who sealed it")


VERBS = (
    *PERSON_VERBS,
    Verb(
        "prove",
        "Sign in as `sign-in` does, and tell the ID token that the sign-on gave for it.",
        f"{_VERBS}:prove",
        "prove p.adeyemi 3q2-7w",
        _prove,
    ),
    Verb(
        "standing",
        "Ask the sign-on whether somebody who is signed in may still administer hosts.",
        f"{_VERBS}:standing",
        "standing --as p.adeyemi",
        action="administer-hosts",
    ),
    Verb(
        "open-envelope",
        "Tell that the sealed envelope was opened.",
        f"{_VERBS}:opened",
        "open-envelope db1 --by anna",
        _open,
    ),
    Verb(
        "seal-envelope",
        "Tell that the envelope was sealed again.",
        f"{_VERBS}:sealed",
        "seal-envelope --by anna",
        _seal,
    ),
)
