"""Rules about roles: what one role's ``meta/pacslab.yml`` may say beside the others'."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from lab.topology.order import circle
from lab.topology.problems import choose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lab.topology.problems import Problem
    from lab.topology.role import Catalog, RoleMeta, Service
    from lab.topology.source import Source

    Sources = Mapping[str, Source]

MEANING = ("protocol", "permits", "ae_titles", "line", "provides", "account", "callers", "presents", "takes")
"""What a service's name means to a flow, whichever role offers it; its port, unit and probe are each role's own."""


def certificate_profiles_are_declared(catalog: Catalog, sources: Sources) -> Iterator[Problem]:
    """A certificate's profile is one that a role declares."""
    known = {name for meta in catalog.values() for name in meta.certificate_profiles}
    for role, meta in catalog.items():
        for name, certificate in meta.certificates.items():
            if certificate.profile not in known and len(catalog) == len(sources):
                yield sources[role].problem(
                    ("certificates", name, "profile"),
                    f"Certificate {name} has profile {certificate.profile}, which no role declares.",
                    f"{choose(certificate.profile, known, 'Declared')} "
                    "Or declare it with its usages under certificate_profiles.",
                )


def callers_show_a_declared_profile(catalog: Catalog, sources: Sources) -> Iterator[Problem]:
    """What callers of a service show is a profile for clients that a role declares."""
    if len(catalog) < len(sources):  # a role that could not be read may declare it
        return
    calling = {
        name
        for meta in catalog.values()
        for name, profile in meta.certificate_profiles.items()
        if "clientAuth" in profile.usages
    }
    for role, meta in catalog.items():
        for name, service in meta.services.items():
            if service.callers is not None and service.callers not in calling:
                yield sources[role].problem(
                    ("services", name, "callers"),
                    f"Callers of {name} show profile {service.callers}, which is declared for no client.",
                    choose(service.callers, calling, "Profiles of clients"),
                )


def services_carry_a_service(catalog: Catalog, sources: Sources) -> Iterator[Problem]:
    """A loopback port that leads to others leads to a service of the network."""
    if len(catalog) < len(sources):
        return
    known = {name for meta in catalog.values() for name, entry in meta.services.items() if entry.scope == "network"}
    for role, meta in catalog.items():
        for name, service in meta.services.items():
            if service.carries is not None and service.carries not in known:
                yield sources[role].problem(
                    ("services", name, "carries"),
                    f"Service {name} carries {service.carries}, which no role offers.",
                    choose(service.carries, known, "Services"),
                )


def services_present_a_servers_profile(catalog: Catalog, sources: Sources) -> Iterator[Problem]:
    """What a service proves itself with is a declared profile for servers."""
    if len(catalog) < len(sources):  # a role that could not be read may declare it
        return
    profiles = {name: profile for meta in catalog.values() for name, profile in meta.certificate_profiles.items()}
    serving = [name for name, profile in profiles.items() if profile.serves]
    for role, meta in catalog.items():
        for name, service in meta.services.items():
            if service.presents is not None and service.presents not in serving:
                yield sources[role].problem(
                    ("services", name, "presents"),
                    f"Service {name} presents profile {service.presents}, which is declared for no server.",
                    choose(service.presents, serving, "Profiles of servers"),
                )


def certificate_profiles_are_declared_alike(catalog: Catalog, sources: Sources) -> Iterator[Problem]:
    """A profile that two roles declare has the same usages in both."""
    for first, second in combinations(catalog, 2):
        ours, theirs = catalog[first].certificate_profiles, catalog[second].certificate_profiles
        for name in ours.keys() & theirs.keys():
            if set(ours[name].usages) != set(theirs[name].usages):
                yield sources[second].problem(
                    ("certificate_profiles", name),
                    f"Roles {first} and {second} declare profile {name} with different usages: "
                    f"{', '.join(ours[name].usages)} and {', '.join(theirs[name].usages)}.",
                    "Give one of the two another name: servers tell certificates apart by their profile.",
                )


def services_mean_the_same(catalog: Catalog, sources: Sources) -> Iterator[Problem]:
    """A service that two roles offer to the network means the same to a flow."""
    for first, second in combinations(catalog, 2):
        ours, theirs = _offered(catalog, first), _offered(catalog, second)
        for name in ours.keys() & theirs.keys():
            for part in MEANING:
                if getattr(ours[name], part) != getattr(theirs[name], part):
                    yield sources[second].problem(
                        ("services", name, part),
                        f"Roles {first} and {second} both offer {name}, and differ in its {part}.",
                        "Write the same in both, or give one of the services another name.",
                    )


def asks_are_taken(catalog: Catalog, sources: Sources) -> Iterator[Problem]:
    """What a role asks of a service, a role that offers the service takes."""
    if len(catalog) < len(sources):  # a role that could not be read may offer it
        return
    taken: dict[str, set[str]] = {}
    for meta in catalog.values():
        for name, service in meta.services.items():
            taken.setdefault(name, set()).update(service.takes)
    for role, meta in catalog.items():
        for service_name, words in meta.asks.items():
            if service_name not in taken:
                yield sources[role].problem(
                    ("asks", service_name),
                    f"Role {role} asks something of {service_name}, which no role offers.",
                    choose(service_name, taken, "Services"),
                )
                continue
            for word in words.keys() - taken[service_name]:
                yield sources[role].problem(
                    ("asks", service_name, word),
                    f"Role {role} asks {word} of {service_name}, which does not take it.",
                    choose(word, taken[service_name], f"{service_name} takes"),
                )


def secrets_have_one_owner(catalog: Catalog, sources: Sources) -> Iterator[Problem]:
    """A secret belongs to one role."""
    for first, second in combinations(catalog, 2):
        for name in sorted(_secrets(catalog[first]).keys() & _secrets(catalog[second]).keys()):
            yield sources[second].problem(
                (_secrets(catalog[second])[name], name),
                f"Roles {first} and {second} both declare secret {name}.",
                f"Remove it from one: templates of both read trust_secrets.{name}. Or give one another name.",
            )


def people_have_one_secret_of_a_kind(catalog: Catalog, sources: Sources) -> Iterator[Problem]:
    """A person has one password, and one secret of each second factor."""
    known: dict[tuple[str, str], str] = {}
    for role, meta in catalog.items():
        for name, secret in meta.secrets_of_people.items():
            first = known.setdefault((secret.of, secret.kind), name)
            if first != name:
                yield sources[role].problem(
                    ("secrets_of_people", name, "kind"),
                    f"Secrets {first} and {name} are both a {secret.kind} of each person.",
                    f"Remove it: templates of every role read trust_secrets.{first}.",
                )


def roles_come_after_roles(catalog: Catalog, sources: Sources) -> Iterator[Problem]:
    """What a role comes after is a role."""
    for role, meta in catalog.items():
        for position, former in enumerate(meta.after):
            if former not in sources:
                yield sources[role].problem(
                    ("after", position),
                    f"Role {role} comes after {former}, which does not exist.",
                    choose(former, sources, "Roles"),
                )


def roles_do_not_come_after_themselves(catalog: Catalog, sources: Sources) -> Iterator[Problem]:
    """Roles that come after each other could not be configured at all."""
    way = circle(catalog)
    if way:
        yield sources[way[0]].problem(
            ("after", catalog[way[0]].after.index(way[1])),
            f"Roles come after each other: {' after '.join(way)}.",
            "Remove one of these from its role's after.",
        )


ROLE_RULES: tuple[Callable[[Catalog, Sources], Iterator[Problem]], ...] = (
    certificate_profiles_are_declared,
    callers_show_a_declared_profile,
    services_carry_a_service,
    certificate_profiles_are_declared_alike,
    services_present_a_servers_profile,
    services_mean_the_same,
    asks_are_taken,
    secrets_have_one_owner,
    people_have_one_secret_of_a_kind,
    roles_come_after_roles,
    roles_do_not_come_after_themselves,
)


def check_roles(catalog: Catalog, sources: Sources) -> list[Problem]:
    """Return every problem between roles."""
    return [problem for rule in ROLE_RULES for problem in rule(catalog, sources)]


def _secrets(meta: RoleMeta) -> dict[str, str]:
    """The secrets that a role declares, each with the key under which it does."""
    return {name: key for key in ("secrets", "secrets_of_people") for name in getattr(meta, key)}


def _offered(catalog: Catalog, role: str) -> dict[str, Service]:
    return {name: service for name, service in catalog[role].services.items() if service.scope == "network"}
