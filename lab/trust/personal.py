"""What a person of a lab signs in with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.errors import UsageError
from lab.topology.problems import choose
from lab.trust.secrets import read_secrets

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal

    from lab.topology.model import Person, SecondFactor
    from lab.topology.site import Site


def person_of(site: Site, name: str) -> Person:
    """Return a person of the site or of a partner.

    Raises:
        UsageError: nobody signs in by that name.
    """
    people = site.topology.everybody
    if name not in people:
        raise UsageError(f"Nobody at site {site.name!r} signs in as {name!r}.", remedy=choose(name, people, "People"))
    return people[name]


def personal_secret(site: Site, folder: Path, name: str, kind: Literal["password"] | SecondFactor) -> str:
    """Return the secret of this kind that the lab in a folder made for a person.

    Raises:
        UsageError: there is no such person; the person signs in with something else; or the lab has made none.
    """
    person = person_of(site, name)
    if kind not in ("password", person.second_factor):
        raise UsageError(
            f"{name} has no {kind}: the second factor is a {person.second_factor}.",
            remedy=f"'pacslab people show {name}' tells what {name} signs in with.",
        )
    kept = read_secrets(folder)
    declared = [
        secret_name
        for meta in site.catalog.values()
        for secret_name, entry in meta.secrets_of_people.items()
        if entry.kind == kind and name in kept.get(secret_name, {})
    ]
    if not declared:
        raise UsageError(
            f"The lab {folder.name!r} has made no {kind} for {name}.",
            remedy="Bring it up ('pacslab up'). A site without a directory and a sign-on of the lab's own has none: "
            "those who run them give them out.",
        )
    return kept[declared[0]][name]
