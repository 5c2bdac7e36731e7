"""The ``pacslab`` command: finds the verb and imports its module alone, so that every verb starts fast."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, cast

from lab.cli import streams
from lab.cli.ending import TerminatedError, take_orders_to_end
from lab.errors import MachineNotReadyError, PacslabError, UsageError
from lab.printable import printable
from lab.settings import DEFAULT_SITE, check_name

if TYPE_CHECKING:
    from collections.abc import Sequence

VERBS = {
    "check": "say whether this machine can run a lab, and what to do where it cannot",
    "plan": "say what up would do, and do nothing",
    "build": "build the images of a site",
    "up": "bring a lab up, or repair it, until every service is healthy",
    "status": "show the hosts of a lab and their health",
    "exec": "run a command on a host",
    "ssh": "reach a host as an administrator, with a certificate that is good for minutes",
    "as": "run a program of this machine in the place of a host, in that host's network",
    "logs": "show the log of a host",
    "graph": "draw a site or a running lab",
    "forward": "serve a port of a host on this machine, as seen from a workstation of the lab",
    "view": "open pages of a lab, first the viewer's, in a browser of this machine, as at a workstation",
    "scenario": "run clinical workflows through a lab",
    "verify": "check a lab's controls",
    "drill": "make faults on purpose, and count what is there afterwards",
    "quarantine": "list what archives hold because it does not fit, and release or discard it",
    "assets": "show the register of a site's assets, with what is installed on each",
    "weaknesses": "show known weaknesses of what hosts are made of, and what is done about each",
    "audit": "show what the repository has of a patient, person or study, and prove that it is unchanged",
    "alerts": "show what the repository's rules found, and the incidents that it makes",
    "runs": "list and show what was judged on a lab",
    "controls": "show which controls are supported by what was judged on a lab",
    "role": "try roles one by one, each on one host with what it needs",
    "snapshot": "keep, list and remove configured labs",
    "down": "remove a lab",
    "doctor": "list what is left over on this machine, and how to clear it",
    "bench": "measure a lab",
    "schema": "print the JSON Schema of topology.yml",
    "pki": "look after a lab's certificates",
    "people": "list the people of a site, and show what they sign in with",
}
INTERRUPTED, TERMINATED = 130, 143
_TRUE = ("1", "true", "yes", "on")


class Verb(Protocol):
    """What a module ``lab.cli.<verb>`` offers."""

    EXAMPLE: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the verb's own arguments."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do the work; the result is the exit code."""


class Parser(argparse.ArgumentParser):
    """Gives each long flag a twin in the environment: ``--keep-going`` is ``PACSLAB_KEEP_GOING``."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Take what argparse's parser takes."""
        self._from_environment: dict[str, tuple[str, argparse.Action]] = {}
        super().__init__(*arguments, **options)

    def add_argument(self, *names: str, **options: object) -> argparse.Action:
        """Declare an argument, with the default that its environment twin holds."""
        action = super().add_argument(*names, **options)  # type: ignore[arg-type] # handed through unchanged
        flag = next((name for name in names if name.startswith("--") and name != "--help"), None)
        if flag is None:
            return action
        twin = "PACSLAB_" + flag[2:].replace("-", "_").upper()
        action.help = f"{action.help or ''} [{twin}]".strip()
        value = os.environ.get(twin)
        if value is None:
            return action
        if action.nargs == 0:
            action.default = action.const if value.lower() in _TRUE else action.default
        elif isinstance(action.default, list):  # a flag that may be repeated: the environment gives it once
            action.default = [value]
        else:
            action.default = value
            self._from_environment[action.dest] = (twin, action)
        action.required = False
        return action

    def parse_args(self, args: Sequence[str], namespace: argparse.Namespace | None = None) -> argparse.Namespace:  # type: ignore[override] # we always have the words
        """Parse the words; what follows the first ``--`` is a command for a host, and reaches it untouched."""
        words = list(args)
        cut = words.index("--") if "--" in words else len(words)
        parsed = super().parse_args(words[:cut], namespace)
        for dest, (twin, action) in self._from_environment.items():  # of a default, argparse does not look at choices
            value = getattr(parsed, dest)
            if action.choices is not None and value not in action.choices:
                self.error(f"{twin}: {value!r} is none of {', '.join(map(str, action.choices))}")
        after = words[cut + 1 :]
        if after:
            if not hasattr(parsed, "command"):
                self.error(f"nothing is expected after '--': {' '.join(after)}")
            parsed.command = [*parsed.command, *after]
        return parsed


def overview() -> str:
    """The text of ``pacslab --help``."""
    width = max(len(verb) for verb in VERBS)
    lines = [f"  {verb:<{width}}  {summary}" for verb, summary in VERBS.items()]
    return "\n".join(
        [
            "usage: pacslab VERB [--site NAME] [--lab NAME] [--json] ...",
            "",
            "A hospital imaging network on one machine: brought up, used, and checked.",
            "",
            *lines,
            "",
            "'pacslab VERB --help' explains a verb and shows an example.",
            "Exit codes: 0 done, 1 a check failed, 2 wrong description or arguments, 3 a host is not healthy,",
            "            4 the machine is not ready, 5 the engine or Ansible failed, 130 interrupted.",
        ]
    )


def build_parser(verb: str, module: Verb) -> Parser:
    """The parser of one verb, with the arguments that all verbs share."""
    parser = Parser(
        prog=f"pacslab {verb}",
        description=VERBS[verb][0].upper() + VERBS[verb][1:] + ".",
        epilog="example:\n" + "\n".join(f"  {line}" for line in module.EXAMPLE.strip().splitlines()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--site", metavar="NAME", help="inventories/NAME describes the site (default: reference)")
    parser.add_argument("--lab", metavar="NAME", help="which lab (default: the site's name)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    module.add_arguments(parser)
    return parser


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Entry point of the command: exits with the codes of ``docs/exit-codes.md``."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        take_orders_to_end()
        streams.prepare()
        code = _code_of(words)
        sys.stdout.flush()
    except TerminatedError:
        code = TERMINATED
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:  # the reader of our output left; nothing more can be said there
        streams.silence(1)
        code = 1
    except streams.OutputError as error:
        streams.silence(1)
        code = _report(error, as_json=False)
    except UsageError as error:  # of the streams themselves
        code = _report(error, as_json=False)
    raise SystemExit(code)


def _code_of(words: list[str]) -> int:
    """Do what the words say; what argparse ends with counts too, so that its output is looked after like any other."""
    try:
        return _dispatch(words)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(overview())
        return 0 if words else UsageError.exit_code
    verb, rest = words[0], words[1:]
    if verb not in VERBS:
        return _report(UsageError(f"There is no verb {verb!r}.", remedy=_suggest(verb)), as_json="--json" in rest)
    module = cast("Verb", importlib.import_module(f"lab.cli.{verb}"))
    arguments = build_parser(verb, module).parse_args(rest)
    arguments.site_given = arguments.site is not None
    arguments.site = arguments.site or DEFAULT_SITE
    arguments.lab_given = bool(arguments.lab)
    arguments.lab = arguments.lab or arguments.site
    try:
        if arguments.lab_given:
            check_name(arguments.lab, "lab")
        return module.run(arguments)
    except (streams.OutputError, BrokenPipeError):
        raise
    except PacslabError as error:
        return _report(error, as_json=arguments.json)
    except OSError as error:
        return _report(_of_machine(error), as_json=arguments.json)


def _of_machine(error: OSError) -> MachineNotReadyError:
    """What the machine refused: a file that cannot be read or written, or a program that is not there."""
    what = f"{error.filename}: " if error.filename else ""
    return MachineNotReadyError(
        f"{what}{error.strerror or error}.",
        remedy="Look at its space ('df'), its owner and what it is ('ls -l'); labs are kept in the folder "
        "PACSLAB_STATE, or .lab of the checkout.",
    )


def _suggest(verb: str) -> str:
    import difflib  # noqa: PLC0415 # only a mistake pays for it

    near = difflib.get_close_matches(verb, VERBS, n=1)
    return f"Did you mean {near[0]!r}?" if near else "'pacslab --help' lists the verbs."


def _report(error: PacslabError, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps(error.as_dict()))
    else:
        print(printable(f"pacslab: {error.message}\n  {error.remedy}"), file=sys.stderr)
    return error.exit_code


if __name__ == "__main__":
    main()
