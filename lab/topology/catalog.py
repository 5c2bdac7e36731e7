"""The catalogue of roles: ``meta/pacslab.yml`` of each, read, and held against the others'."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from lab.topology.problems import Problem, TopologyError
from lab.topology.role import Catalog, RoleMeta
from lab.topology.role_rules import check_roles
from lab.topology.shape import shape_problems
from lab.topology.source import read_source

if TYPE_CHECKING:
    from lab.topology.role import CertificateProfile, Service, Vocabulary
    from lab.topology.source import Source

ROLES_DIR = Path(__file__).resolve().parents[2] / "roles"


def read_catalog(roles_dir: Path = ROLES_DIR) -> tuple[Catalog, list[Problem]]:
    """Read ``meta/pacslab.yml`` of every role; return what could be read, and the mistakes."""
    catalog: Catalog = {}
    sources: dict[str, Source] = {}
    problems: list[Problem] = []
    for path in sorted(roles_dir.glob("*/meta/pacslab.yml")):
        source = read_source(path)
        sources[path.parents[1].name] = source
        problems += source.problems
        if source.problems:
            continue
        try:
            catalog[path.parents[1].name] = RoleMeta.model_validate(source.data if source.data is not None else {})
        except ValidationError as error:
            problems += shape_problems(source, RoleMeta, error)
    return catalog, problems + check_roles(catalog, sources)


def load_catalog(roles_dir: Path = ROLES_DIR) -> Catalog:
    """Read ``meta/pacslab.yml`` of every role.

    Raises:
        TopologyError: a role's file does not follow :class:`RoleMeta`, or contradicts another role's.
    """
    catalog, problems = read_catalog(roles_dir)
    if problems:
        raise TopologyError(problems)
    return catalog


def network_services(catalog: Catalog) -> dict[str, Service]:
    """Return the services that flows may open, by name; roles that offer one of the same name agree on its meaning."""
    return {
        name: service
        for meta in catalog.values()
        for name, service in meta.services.items()
        if service.scope == "network" and service.port is not None
    }


def vocabularies(catalog: Catalog) -> dict[str, Vocabulary]:
    """Return what may be permitted inside connections, by service; other services are allowed as a whole."""
    services = network_services(catalog)
    return {name: service.permits for name, service in services.items() if service.permits is not None}


def certificate_profiles(catalog: Catalog) -> dict[str, CertificateProfile]:
    """Return every profile that a role declares, by name."""
    return {name: profile for meta in catalog.values() for name, profile in meta.certificate_profiles.items()}
