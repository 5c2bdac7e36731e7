"""People who act at a host's command: who may, and signing them in there with what the lab has made for them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lab.access.policy import Scope, load_policy
from lab.errors import UsageError
from lab.hospital.codes import fresh_code
from lab.hospital.errors import CommandFailedError
from lab.hospital.sign_on import SERVICE
from lab.trust.personal import personal_secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.engine.lab import Completed
    from lab.hospital.hospital import Hospital
    from lab.topology.site import Site

NOT_SIGNED_IN = "not-signed-in"


def signs_in(site: Site, host: str) -> bool:
    """Whether people sign in at a host's commands: a flow leads from it to a sign-on."""
    return any(flow.service == SERVICE for flow in site.flows_out(host))


def who_may(site: Site, host: str, action: str) -> list[str]:
    """The people of a site who may do something at a host; of its own department where that decides about patients."""
    department, policy, people = site.hosts[host].asset.owner, load_policy(), site.topology.people
    return [
        name
        for name in holders(site, action)
        if policy.scope(people[name].roles, action) is not Scope.DEPARTMENT or people[name].department == department
    ]


def person_for(site: Site, host: str, action: str, role: str = "") -> str:
    """Who does something at a host in the lab's scenarios: the first who may, of a role where somebody with it may.

    Nobody where nobody signs in.

    Raises:
        UsageError: people sign in, and none of them may.
    """
    if not signs_in(site, host):
        return ""
    people = who_may(site, host, action)
    if not people:
        raise UsageError(
            f"Nobody at site {site.name} may {action} at {host}.", remedy="Give somebody the role in topology.yml."
        )
    return next((name for name in people if role in site.topology.people[name].roles), people[0])


def holders(site: Site, action: str) -> list[str]:
    """The people of a site who may do something to somebody."""
    policy = load_policy()
    return [name for name, person in site.topology.people.items() if policy.scope(person.roles, action) is not None]


def sign_in(hospital: Hospital, host: str, command: str, person: str) -> None:
    """Sign somebody in at a host's command.

    Raises:
        CommandFailedError: the person was not signed in.
    """
    done = try_sign_in(hospital, host, command, person)
    if done.code != 0:
        raise CommandFailedError(
            f"{person} was not signed in at {host}: {done.stdout.strip()[-300:]}",
            remedy=f"See `pacslab logs {host}` and the sign-on's.",
        )


def try_sign_in(hospital: Hospital, host: str, command: str, person: str) -> Completed:
    """Show a command both factors as lines of its standard input; what came of it.

    A code that another process has shown in this half minute is not taken again, so the next one is shown then.
    """
    password = personal_secret(hospital.site, hospital.lab.folder, person, "password")

    def show() -> Completed:
        typed = f"{password}\n{fresh_code(hospital.lab, person)}\n".encode()
        return hospital.run(host, [command, "sign-in", person, "--json"], input=typed)

    done = show()
    return done if done.code != 1 or reason_of(done) else show()


def run_as(hospital: Hospital, host: str, argv: Sequence[str], person: str, *, timeout: float = 60) -> Completed:
    """Run a command in JSON as a person, whom it signs in first where that is needed; as nobody without a name.

    Raises:
        CommandFailedError: the person was not signed in.
    """
    if not person:
        return hospital.run(host, [*argv, "--json"], timeout=timeout)
    words = [*argv, "--as", person, "--json"]
    done = hospital.run(host, words, timeout=timeout)
    if done.code != 0 and reason_of(done) == NOT_SIGNED_IN:
        sign_in(hospital, host, argv[0], person)
        done = hospital.run(host, words, timeout=timeout)
    return done


def reason_of(done: Completed) -> str:
    """Why a command was refused to a person, in the word of its event; nothing where it was not."""
    try:
        return str(json.loads(done.stdout).get("reason", ""))
    except (ValueError, AttributeError):
        return ""
