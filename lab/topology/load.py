"""Read ``topology.yml`` into a :class:`Site`; every mistake is reported with file, line and remedy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from lab.topology.catalog import ROLES_DIR, read_catalog
from lab.topology.model import Flow, Host, Partner, Person, Strict, Topology, Zone
from lab.topology.problems import Problem, TopologyError, choose
from lab.topology.profiles import Profiles
from lab.topology.rules import check_rules
from lab.topology.rules.draft import Draft
from lab.topology.shape import shape_problems
from lab.topology.site import Site
from lab.topology.source import Source, read_source

if TYPE_CHECKING:
    from lab.topology.role import Catalog

Part = TypeVar("Part", bound=Strict)
Label = TypeVar("Label", str, int)

INVENTORIES_DIR = Path(__file__).resolve().parents[2] / "inventories"
TRIALS_DIR = INVENTORIES_DIR.with_name("trials")
"""Sites on which roles are tried that no site of :data:`INVENTORIES_DIR` has yet."""
FILE_NAME = "topology.yml"


def site_names(inventories_dir: Path = INVENTORIES_DIR) -> list[str]:
    """Return the names of the sites that exist."""
    return sorted(path.parent.name for path in inventories_dir.glob(f"*/{FILE_NAME}"))


def site_path(name: str, inventories_dir: Path = INVENTORIES_DIR) -> Path:
    """Return a site's ``topology.yml``.

    Raises:
        TopologyError: there is no such site; the remedy lists those that exist.
    """
    path = inventories_dir / name / FILE_NAME
    if name not in site_names(inventories_dir):
        raise TopologyError([_missing(path, inventories_dir)])
    return path


def sites_with_every_role(inventories_dir: Path = INVENTORIES_DIR) -> list[Site]:
    """Read all sites, and those on which roles are tried that none of them has.

    Raises:
        TopologyError: a description has mistakes.
    """
    return [
        load_site(site_path(name, folder)) for folder in (inventories_dir, TRIALS_DIR) for name in site_names(folder)
    ]


def load_site(path: Path, roles_dir: Path = ROLES_DIR) -> Site:
    """Read a site's description and the role catalogue.

    Raises:
        TopologyError: with every mistake of the description, and of the roles' ``meta/pacslab.yml``.
    """
    if not path.is_file():
        raise TopologyError([_missing(path, path.absolute().parent.parent)])
    source = read_source(path)
    catalog, problems = read_catalog(roles_dir)
    problems += source.problems
    topology: Topology | None = None
    if isinstance(source.data, dict):
        try:
            topology = Topology.model_validate(source.data)
        except ValidationError as error:
            problems += shape_problems(source, Topology, error)
        roles = frozenset(meta.parents[1].name for meta in roles_dir.glob("*/meta/pacslab.yml"))
        problems += check_rules(_draft(source, catalog, roles))
    elif not source.problems:
        problems.append(Problem(path, 0, "This is no site's description.", "docs/topology.md says what it holds."))
    if problems or topology is None:
        raise TopologyError(problems)
    expanded = Profiles(topology.profiles).expand(topology.hosts)
    return Site(topology.model_copy(update={"hosts": expanded}), catalog, path)


def _draft(source: Source, catalog: Catalog, role_names: frozenset[str]) -> Draft:
    """Read every part of the file that can be read on its own, so that one mistake does not hide the others."""
    zones, profiles, hosts, people, partners = (
        _mapping(source.data.get(key)) for key in ("zones", "profiles", "hosts", "people", "partners")
    )
    flows = source.data.get("flows")
    return Draft(
        source=source,
        site=str(source.data.get("site", "")),
        domain=str(source.data.get("domain", "")),
        zones=_readable(Zone, zones),
        profiles=Profiles({name: entries for name, entries in profiles.items() if _is_list_of_texts(entries)}),
        written_hosts=_readable(Host, hosts),
        people=_readable(Person, people),
        partners=_readable(Partner, partners),
        flows=_readable(Flow, dict(enumerate(flows if isinstance(flows, list) else []))),
        zone_names=frozenset(zones),
        profile_names=frozenset(profiles),
        host_names=frozenset(hosts),
        role_names=role_names,
        catalog=catalog,
    )


def _mapping(data: Any) -> dict[str, Any]:
    return {str(name): part for name, part in data.items()} if isinstance(data, dict) else {}


def _is_list_of_texts(data: Any) -> bool:
    return isinstance(data, list) and all(isinstance(entry, str) for entry in data)


def _readable(model: type[Part], parts: dict[Label, Any]) -> dict[Label, Part]:
    """Return the parts that follow the model; the others have been reported."""
    read: dict[Label, Part] = {}
    for label, part in parts.items():
        try:
            read[label] = model.model_validate(part)
        except ValidationError:
            continue
    return read


def _missing(path: Path, inventories_dir: Path) -> Problem:
    names = site_names(inventories_dir)
    return Problem(path, 0, "There is no such file.", choose(path.parent.name, names, "Sites that exist"))
