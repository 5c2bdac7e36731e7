"""What the configuration of each host is made from, and a digest of it: a host is configured again when that changes.

Nothing is declared for it, so nothing can be forgotten. A role's files are searched for the names of the inventory's
variables, and a host's digest holds the values of those that its roles read, besides the files themselves, the site's
settings for the host, its certificates, and what its roles take from the PKI and the lab's secrets. A role that could
read anything, through ``hostvars`` or a lookup, counts as reading all there is.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lab.ansible.site_playbook import play
from lab.settings import ROOT
from lab.topology.variables import host_variables, site_variables
from lab.trust.partners import read_partners
from lab.trust.secrets import read_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lab.topology.site import Site

PARTS = ("defaults", "files", "handlers", "tasks", "templates", "vars")
"""What Ansible reads of a role; its ``meta`` reaches hosts through variables alone."""
IMAGE = ("tasks/install.yml", "tasks/install/")
"""What runs when an image is made: a change there has the container made again."""
PLUGINS = ROOT / "lab" / "ansible" / "collections" / "ansible_collections" / "pacslab" / "lab" / "plugins"
WRITERS = ("action", "modules", "module_utils")
"""Plugins that put files in place. The inventory plugin only hands on variables."""

_SKIPPED = {"__pycache__", ".pytest_cache"}
_BLOCK = re.compile(r"\{[{%](.*?)[}%]\}", re.DOTALL)
_WORD = re.compile(r"[A-Za-z_]\w*")
_KEY = re.compile(r"\b(?:vars|groups)\s*:")
"""A task's ``vars:`` or a user's ``groups:``, which read nothing."""
_FARTHER = {"hostvars", "groups", "vars", "varnames", "lookup", "query", "q", "inventory_file", "group_names"}
"""Names through which a role can read what no variable's name tells."""
_OWN_SECRET = re.compile(r"trust_secrets\.\w+\[host_name\]")
_ANY_SECRET = re.compile(r"\btrust_secrets\b")
_PKI_FILE = re.compile(r"trust_pki_dir\s*(?:\}\}|~\s*')/([\w.-]+)")
_OWN_PKI_FILE = re.compile(r"trust_pki_dir \}\}/hosts/\{\{ host_name \}\}/([\w.-]+)")
_ROLE_FILE = re.compile(rf"\b(\w+)/(?:{'|'.join(PARTS)})/")
_PARTNERS = "trust_partners"
_LISTS = ("crl.pem", "root.crl", "issuing.crl")
"""Revocation lists: hosts fetch them by themselves where the site publishes certificate status."""


@dataclass(frozen=True)
class Reads:
    """What a role's tasks and templates read besides its own files."""

    words: frozenset[str]
    text: str

    @cached_property
    def pki_files(self) -> set[str]:
        """Files and folders that it takes from the PKI's top folder; those of hosts are digested by certificate."""
        return set(_PKI_FILE.findall(self.text)) - {"hosts"}

    @cached_property
    def own_pki_files(self) -> set[str]:
        """Files that it takes by their name from its own host's folder of the PKI."""
        return set(_OWN_PKI_FILE.findall(self.text))

    @cached_property
    def named(self) -> frozenset[str]:
        """What may be another role, by the paths that it names."""
        return frozenset(_ROLE_FILE.findall(self.text))

    @cached_property
    def secrets(self) -> bool:
        """Whether it reads secrets."""
        return _ANY_SECRET.search(self.text) is not None

    @cached_property
    def own_secrets_only(self) -> bool:
        """Whether it reads its own host's secrets alone."""
        return len(_OWN_SECRET.findall(self.text)) == len(_ANY_SECRET.findall(self.text))


def reads(role: Path) -> Reads:
    """Search a role for what it reads: expressions in its templates, and all text of its tasks and variables."""
    texts = [
        path.read_text("utf-8")
        for part in ("defaults", "handlers", "tasks", "vars")
        for path in _files(role / part)
        if not str(path.relative_to(role)).startswith(IMAGE)
    ]
    for path in _files(role / "templates"):
        texts += _BLOCK.findall(path.read_text("utf-8"))
    text = "\n".join(texts)
    return Reads(_words(text), text)


@dataclass(frozen=True)
class Inputs:
    """A site with the folder of its lab (its PKI and secrets), and all that hosts' configuration follows from."""

    site: Site
    folder: Path
    roles_dir: Path = ROOT / "roles"

    def digests(self) -> dict[str, str]:
        """Return for each host a digest of everything that its configuration is made from."""
        return {host: self._digest(host) for host in self.site.managed}

    def _digest(self, host: str) -> str:
        roles = self.site.hosts[host].roles
        found = hashlib.sha256(self._writers.encode())
        for role in roles:
            found.update(f"{role}\0{play(role)}\0{self._role_digest(role)}\0".encode())
        for path in self._settings(host):
            found.update(f"{path.relative_to(self.site.path.parent)}\0{tree_digest(path)}\0".encode())
        found.update(json.dumps(self.used_variables(host), sort_keys=True, default=str).encode())
        for path in self._trust_files(host):
            found.update(f"{path.name}\0{tree_digest(path)}\0".encode())
        found.update(json.dumps(self._used_secrets(host), sort_keys=True).encode())
        if any(_PARTNERS in self._reads(role).words for role in self._all_roles(host)):
            found.update(json.dumps(read_partners(self.folder), sort_keys=True).encode())
        return found.hexdigest()[:16]

    def used_variables(self, host: str) -> dict[str, Any]:
        """Return the inventory's variables that something of a host reads, with their values for it."""
        words = {word for role in self._all_roles(host) for word in self._reads(role).words}
        for path in self._settings(host):
            words.update(*(_words(file.read_text("utf-8")) for file in _files(path)))
        mine = {**self._site_variables, **self._host_variables[host]}
        if words & _FARTHER:
            return {**mine, "hostvars": self._host_variables}
        return {name: value for name, value in mine.items() if name in words}

    def _all_roles(self, host: str) -> list[str]:
        """The host's roles, and those whose files these name."""
        found = list(self.site.hosts[host].roles)
        for role in found:
            found += [other for other in self._named_roles(role) if other not in found]
        return found

    def _named_roles(self, role: str) -> list[str]:
        """Other roles whose files a role names by a path."""
        named = self._reads(role).named
        return [other for other in self.site.catalog if other != role and other in named]

    def _role_digest(self, role: str) -> str:
        """A role's files; those of other roles that it names; and its sources, where it names them again."""
        known: dict[str, str] = self._role_digests
        if role not in known:
            known[role] = ""  # two roles may name each other
            paths = [self.roles_dir / role / part for part in PARTS]
            text = self._reads(role).text
            paths += [ROOT / source for source in self.site.catalog[role].sources if f"/{source}" in text]
            others = [self._role_digest(other) for other in self._named_roles(role)]
            known[role] = hashlib.sha256("".join([*map(tree_digest, paths), *others]).encode()).hexdigest()
        return known[role]

    @cached_property
    def _role_digests(self) -> dict[str, str]:
        return {}

    @cached_property
    def _role_reads(self) -> dict[str, Reads]:
        return {}

    def _reads(self, role: str) -> Reads:
        if role not in self._role_reads:
            self._role_reads[role] = reads(self.roles_dir / role)
        return self._role_reads[role]

    def _settings(self, host: str) -> list[Path]:
        """The site's ``group_vars`` and ``host_vars`` for a host; an unknown group may be anyone's."""
        entry = self.site.hosts[host]
        mine = {"all", _group("zone", entry.zone), *(_group("role", role) for role in entry.roles)}
        known = {"all"} | {_group("zone", zone) for zone in self.site.topology.zones}
        known |= {_group("role", role) for role in self.site.catalog}
        folder = self.site.path.parent
        groups = [path for path in _entries(folder / "group_vars") if _stem(path) in mine or _stem(path) not in known]
        return groups + [path for path in _entries(folder / "host_vars") if _stem(path) == host]

    def _trust_files(self, host: str) -> Iterable[Path]:
        """The host's certificates, which change with their keys, and what its roles take from the PKI's top folder."""
        pki = self.folder / "pki"
        yield from (pki / "hosts" / host / f"{name}.crt" for name in self.site.certificates(host))
        own = {name for role in self._all_roles(host) for name in self._reads(role).own_pki_files}
        yield from (pki / "hosts" / host / name for name in sorted(own))
        names = {name for role in self._all_roles(host) for name in self._reads(role).pki_files}
        publishers = self.site.providers("certificate-status")
        if publishers and host not in publishers:
            names -= set(_LISTS)
        yield from (pki / name for name in sorted(names))

    def _used_secrets(self, host: str) -> dict[str, Any]:
        reading = [one for role in self._all_roles(host) if (one := self._reads(role)).secrets]
        if not reading:
            return {}
        if all(source.own_secrets_only for source in reading):
            return {name: values.get(host) for name, values in self._secrets.items()}
        return self._secrets

    @cached_property
    def _secrets(self) -> dict[str, dict[str, str]]:
        return read_secrets(self.folder)

    @cached_property
    def _site_variables(self) -> dict[str, Any]:
        return site_variables(self.site)

    @cached_property
    def _host_variables(self) -> dict[str, dict[str, Any]]:
        return {host: host_variables(self.site, host) for host in self.site.managed}

    @cached_property
    def _writers(self) -> str:
        return "".join(tree_digest(PLUGINS / name) for name in WRITERS)


def digests(site: Site, folder: Path) -> dict[str, str]:
    """For each host a digest of everything that its configuration is made from; ``folder`` is its lab's."""
    return Inputs(site, folder).digests()


def tree_digest(path: Path) -> str:
    """A digest of a file, or of every file below a folder; of nothing when there is neither."""
    found = hashlib.sha256()
    for file in _files(path):
        found.update(f"{file.relative_to(path)}\0{file.stat().st_mode & 0o777:o}\0".encode())
        found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return [entry for entry in sorted(path.rglob("*")) if entry.is_file() and not _SKIPPED.intersection(entry.parts)]


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(_KEY.sub("", text)))


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _stem(path: Path) -> str:
    return path.name if path.is_dir() else path.name.partition(".")[0]


def _group(kind: str, name: str) -> str:
    """The group of a zone or role, as the inventory plugin names it."""
    return f"{kind}_{name.replace('-', '_')}"
