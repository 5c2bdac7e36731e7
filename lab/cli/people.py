"""``pacslab people``: who there is at a site, and what they sign in with."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

from lab.access.policy import load_policy
from lab.cli.target import described_lab
from lab.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from lab.engine.lab import Lab
    from lab.topology.model import Person

EXAMPLE = """
pacslab people
pacslab people show a.rivera
pacslab people password a.rivera
pacslab people code a.rivera
pacslab people key j.novak --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what to tell, and of whom."""
    parser.add_argument(
        "action", nargs="?", choices=("list", "show", "password", "code", "key"), default="list", help="what to tell"
    )
    parser.add_argument("name", nargs="?", metavar="PERSON", help="the name that somebody signs in with")


def run(arguments: argparse.Namespace) -> int:
    """Tell it; a password or code is printed when it is asked for, and never otherwise."""
    lab = described_lab(arguments)
    if arguments.action == "list":
        if arguments.name is not None:
            raise UsageError("'people list' takes no name.", remedy=f"'pacslab people show {arguments.name}'.")
        return _list(lab, as_json=arguments.json)
    if arguments.name is None:
        raise UsageError(
            f"'people {arguments.action}' needs the name of a person.", remedy="'pacslab people' lists the names."
        )
    return {"show": _show, "password": _password, "code": _code, "key": _key}[arguments.action](lab, arguments)


def _list(lab: Lab, *, as_json: bool) -> int:
    people = lab.site.topology.everybody
    if as_json:
        print(json.dumps([_as_dict(name, person) for name, person in people.items()]))
        return 0
    if not people:
        print(f"The description of site {lab.site.name} names no people.")
        return 0
    rows = [("SIGNS IN AS", "NAME", "DEPARTMENT", "ROLES", "SECOND FACTOR")]
    rows += [
        (name, f"{person.given} {person.family}", person.department, _titles(person), person.second_factor)
        for name, person in people.items()
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _show(lab: Lab, arguments: argparse.Namespace) -> int:
    from lab.trust.personal import person_of  # noqa: PLC0415 # --help needs no cryptography

    person = person_of(lab.site, arguments.name)
    facts = _as_dict(arguments.name, person) | {"may": _may(person)}
    if arguments.json:
        print(json.dumps(facts))
        return 0
    told = {
        "signs in as": arguments.name,
        "name": f"{person.given} {person.family}",
        "department": person.department,
        "roles": _titles(person),
        "second factor": person.second_factor,
        "may": ", ".join(f"{action} ({scope})" for action, scope in facts["may"].items()) or "nothing by itself",
    }
    for key, value in told.items():
        print(f"{key + ':':<14} {value}")
    return 0


def _password(lab: Lab, arguments: argparse.Namespace) -> int:
    from lab.trust.personal import personal_secret  # noqa: PLC0415 # --help needs no cryptography

    password = personal_secret(lab.site, lab.folder, arguments.name, "password")
    print(json.dumps({"name": arguments.name, "password": password}) if arguments.json else password)
    return 0


def _code(lab: Lab, arguments: argparse.Namespace) -> int:
    """Print a code on standard output, and on standard error how long it is good for, so that scripts can take it."""
    from lab.trust.one_time_password import one_time_password  # noqa: PLC0415
    from lab.trust.personal import personal_secret  # noqa: PLC0415

    seed = personal_secret(lab.site, lab.folder, arguments.name, "one-time-password")
    now = one_time_password(seed, time.time())
    if arguments.json:
        print(json.dumps({"name": arguments.name, "code": now.code, "seconds_left": now.seconds_left}))
        return 0
    print(now.code, flush=True)
    print(f"{now.seconds_left} s left. It is taken once.", file=sys.stderr)
    return 0


def _key(lab: Lab, arguments: argparse.Namespace) -> int:
    """Print a security key, as a browser's virtual authenticator takes it."""
    from lab.trust.personal import personal_secret  # noqa: PLC0415 # with the next: --help needs no cryptography
    from lab.trust.security_key import KIND, credential  # noqa: PLC0415

    key = credential(personal_secret(lab.site, lab.folder, arguments.name, KIND))
    told = {"name": arguments.name, "credential": key.number, "private_key": key.private}
    print(json.dumps(told) if arguments.json else f"{key.number} {key.private}")
    return 0


def _as_dict(name: str, person: Person) -> dict[str, Any]:
    return {"name": name, **person.model_dump(mode="json")}


def _titles(person: Person) -> str:
    return ", ".join(load_policy().roles[role].title for role in person.roles)


def _may(person: Person) -> dict[str, str]:
    policy = load_policy()
    scopes = {action: policy.scope(person.roles, action) for action in policy.actions}
    return {action: str(scope) for action, scope in scopes.items() if scope is not None}
