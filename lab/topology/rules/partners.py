"""Rules about the partners of a site, whose people come with their own sign-on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.access.policy import Scope, load_policy
from lab.topology.problems import choose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.topology.problems import Problem
    from lab.topology.rules.draft import Draft


def partners_have_a_sign_on(draft: Draft) -> Iterator[Problem]:
    """A partner names a host that offers its sign-on, and no two name one."""
    offering, services = _offering(draft), ", ".join(_services(draft))
    for key, partner in draft.partners.items():
        where, host = ("partners", key, "host"), partner.host
        if host not in draft.host_names:
            yield draft.source.problem(
                where, f"Host {host} does not exist.", choose(host, offering, f"Hosts that offer {services}")
            )
        elif host in draft.hosts and host not in offering and draft.roles_known(host):
            yield draft.source.problem(
                where,
                f"Host {host} is no sign-on of a partner.",
                f"Give it a role that offers {services}, or name another host.",
            )
        same = next(other for other, entry in draft.partners.items() if entry.host == host)
        if same != key:
            yield draft.source.problem(
                where, f"Host {host} is the sign-on of partner {same} already.", "Give each partner a host of its own."
            )


def sign_ons_have_a_partner(draft: Draft) -> Iterator[Problem]:
    """A host that stands for a partner's sign-on is named by a partner: nobody signs in there otherwise."""
    written = draft.source.data.get("partners") or {}
    named = {partner.host for partner in draft.partners.values()}
    if len(written) != len(draft.partners) or named - draft.host_names:
        return  # a partner that could not be read, or whose host is misspelt, may mean it
    for host in _offering(draft):
        if host not in named:
            yield draft.source.problem(
                ("hosts", host), f"{host} is the sign-on of no partner.", "Name it as host of an entry in partners."
            )


def partners_have_least_rights(draft: Draft) -> Iterator[Problem]:
    """A partner's people have a role of the policy whose every action reaches patients in their treatment (AC-6)."""
    roles = load_policy().roles
    beyond = {
        name: [action for action, scope in role.may.items() if scope is not Scope.TREATMENT]
        for name, role in roles.items()
    }
    least = [name for name, actions in beyond.items() if roles[name].may and not actions]
    for key, partner in draft.partners.items():
        where, role = ("partners", key, "role"), partner.role
        if role not in roles:
            yield draft.source.problem(where, f"Role {role} does not exist.", choose(role, roles, "Known"))
        elif beyond[role]:
            yield draft.source.problem(
                where,
                f"{role} may {beyond[role][0]}, and not only for patients whom a person treats.",
                f"Give a partner's people least rights: {', '.join(least)}.",
            )


def _offering(draft: Draft) -> list[str]:
    """Hosts that stand for a partner's sign-on."""
    return [host for host in draft.hosts if any(service.home for _, _, service in draft.offers(host))]


def _services(draft: Draft) -> list[str]:
    """What such a host offers, by name."""
    return sorted({name for meta in draft.catalog.values() for name, service in meta.services.items() if service.home})
