"""The generated tables of ``docs/people.md``: who may do what, and what nobody may hold together."""

from __future__ import annotations

from lab.access.policy import load_policy
from lab.topology.load import load_site, site_path


def actions_table() -> str:
    """Return each action with the roles that have it and the patients that it reaches for them."""
    policy = load_policy()
    rows = []
    for name, action in policy.actions.items():
        having = [f"{entry.title} ({entry.may[name]})" for entry in policy.roles.values() if name in entry.may]
        rows.append(f"| `{name}` | {action.title} | {action.at} | {action.transactions} | {', '.join(having)} |")
    head = ["| action | what it is | decided at | transactions | who may, for which patients |"]
    return "\n".join([*head, "| --- | --- | --- | --- | --- |", *rows, ""])


def roles_table() -> str:
    """Return the roles, with the nearest work role of SP 800-181."""
    rows = [
        f"| `{name}` | {role.title} | {role.work_role} | {', '.join(role.may) or 'nothing by itself'} |"
        for name, role in load_policy().roles.items()
    ]
    return "\n".join(["| role | title | NICE work role | may |", "| --- | --- | --- | --- |", *rows, ""])


def separations_table() -> str:
    """Return the pairs of actions that nobody may hold together."""
    rows = [f"| `{entry.actions[0]}` | `{entry.actions[1]}` | {entry.why} |" for entry in load_policy().separate]
    return "\n".join(["| nobody has both | and | why |", "| --- | --- | --- |", *rows, ""])


def people_table() -> str:
    """Return the people of the reference site."""
    policy = load_policy()
    rows = [
        f"| `{name}` | {person.given} {person.family} | {person.department} "
        f"| {', '.join(policy.roles[role].title for role in person.roles)} |"
        for name, person in load_site(site_path("reference")).topology.people.items()
    ]
    return "\n".join(["| signs in as | name | department | roles |", "| --- | --- | --- | --- |", *rows, ""])
