"""What a role puts on a host, rendered by the real action plugin ``pacslab.lab.configure``; no host is needed."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from lab.topology.catalog import ROLES_DIR
from lab.topology.variables import host_variables, site_variables
from lab.trust.partners import PartnerKeys
from tests.unit.lab.ansible.plugins import plugin
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.topology import Site

MODULE = "pacslab.lab.configure"
REFERENCE = committed_site("reference")
SMALL_PRACTICE = committed_site("small-practice")


@dataclass(frozen=True)
class RenderedFile:
    """A file as the host gets it."""

    text: str
    mode: str
    owner: str
    group: str
    secret: bool


def variables_of(site: Site, host: str, role: str, roles_dir: Path = ROLES_DIR) -> dict[str, Any]:
    """Variables as a play has them: ``secret-of-<host>`` or ``secret-of-<person>``, and ``<kind>-of-<partner>``."""
    loader = DataLoader()
    folder = roles_dir / role
    read = [folder / part / "main.yml" for part in ("defaults", "vars")]
    own = [loader.load_from_file(str(path), trusted_as_template=True) or {} for path in read if path.exists()]
    metas = site.catalog.values()
    secrets = {name: {host: f"secret-of-{host}" for host in site.hosts} for meta in metas for name in meta.secrets}
    for meta in metas:
        for name in meta.secrets_of_people:
            everybody = [*site.topology.people, *site.topology.visitors]
            secrets[name] = {person: f"secret-of-{person}" for person in everybody}
    kinds = [field.name for field in fields(PartnerKeys)]
    keys = {name: {kind: f"{kind}-of-{name}" for kind in kinds} for name in site.topology.partners}
    return {
        **(own[0] if own else {}),
        **site_variables(site),
        **host_variables(site, host),
        "trust_secrets": secrets,
        "trust_security_keys": {
            person: {"credential": f"credential-of-{person}", "public_key": f"public-key-of-{person}"}
            for person in site.topology.people
        },
        "trust_partners": keys,
        "trust_pki_dir": "/nowhere",
        **(own[1] if len(own) > 1 else {}),
        "role_path": str(folder),
        "ansible_search_path": [str(folder)],
    }


def files_of(site: Site, host: str, role: str, roles_dir: Path = ROLES_DIR) -> dict[str, RenderedFile]:
    """Every file of the role's ``configure.yml`` on this host, by its path."""
    return _files(_BySite(site), host, role, roles_dir)


def rendered_template(site: Site, host: str, role: str, template: str, **variables: Any) -> str:
    """One template of a role for this host, with further variables.

    Raises:
        AnsibleError: the template refuses to render.
    """
    known = {**variables_of(site, host, role), **variables}
    asked = {"files": [{"template": template, "dest": "/rendered"}]}
    return run_action(asked, known, DataLoader())["/rendered"].text


class _BySite:
    """A site as a key: it holds mappings, so it is one by being the same object."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _BySite) and other.site is self.site

    def __hash__(self) -> int:
        return id(self.site)


@cache
def _files(key: _BySite, host: str, role: str, roles_dir: Path) -> dict[str, RenderedFile]:
    site = key.site
    loader = DataLoader()
    variables = variables_of(site, host, role, roles_dir)
    templar = Templar(loader=loader, variables=variables)
    tasks = loader.load_from_file(str(roles_dir / role / "tasks" / "configure.yml"), trusted_as_template=True)
    found: dict[str, RenderedFile] = {}
    for task in tasks or []:
        if MODULE in task and ("when" not in task or templar.evaluate_conditional(task["when"])):
            found.update(run_action(templar.template(task[MODULE]), variables, loader))
    return found


def run_action(arguments: dict[str, Any], variables: dict[str, Any], loader: DataLoader) -> dict[str, RenderedFile]:
    """Run the action plugin up to the call of its module, and unpack what it would ship."""
    loader.set_basedir(variables["role_path"])
    action = plugin("action.configure").ActionModule(
        task=MagicMock(args=arguments, async_val=0, get_search_path=lambda: variables["ansible_search_path"]),
        connection=MagicMock(_shell=MagicMock(tmpdir=None)),
        play_context=MagicMock(),
        loader=loader,
        templar=Templar(loader=loader, variables=variables),
        shared_loader_obj=None,
    )
    action._execute_module = lambda module_args, **_: module_args  # noqa: SLF001 - in place of the host
    return dict(_unpack(action.run(task_vars=variables)))


def _unpack(asked: dict[str, Any]) -> Iterator[tuple[str, RenderedFile]]:
    contents = json.loads(zlib.decompress(base64.b64decode(asked["payload"])))
    for entry, content in zip(asked["files"], contents, strict=True):
        yield (
            entry["dest"],
            RenderedFile(
                base64.b64decode(content).decode("utf-8", "backslashreplace"),
                entry.get("mode", "0644"),
                entry.get("owner", "root"),
                entry.get("group", "root"),
                bool(entry.get("secret")),
            ),
        )
