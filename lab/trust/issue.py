"""Certificates and secrets of a site on real machines: a folder that a person keeps, in place of a lab's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypedDict

from lab.errors import UsageError
from lab.settings import load_settings
from lab.state_file import read_json
from lab.trust.files import make_private_folder, write_private
from lab.trust.pki import ensure_pki
from lab.trust.variables import trust_variables

if TYPE_CHECKING:
    from pathlib import Path

    from lab.topology.site import Site
    from lab.trust.session import Changes

VARIABLES = "variables.json"
"""What ``ansible-playbook -e @FILE`` is given: where the PKI is, and the secrets."""
OWNER = "site.json"
"""Names the site of the folder: with another site's description, every certificate in it would be revoked."""


def issue(site: Site, folder: Path) -> Changes:
    """Make the folder hold what every host of the site needs; what is right already is left alone.

    It then has ``pki/``, ``secrets.json``, ``site.json`` and ``variables.json``, all for their owner alone.

    Raises:
        UsageError: the folder is another site's, or one in which labs are kept.
        TrustError: files of an earlier PKI are damaged.
    """
    folder = folder.resolve()
    if folder.is_relative_to(load_settings().state):
        raise UsageError(
            f"{folder} is where labs are kept, which 'pacslab down' removes.", remedy="Name a folder of your own."
        )
    owner = folder / OWNER
    kept = _owner(owner)
    if kept not in (None, site.name):
        raise UsageError(f"{folder} holds the certificates of site {kept!r}.", remedy="Name a folder for each site.")
    make_private_folder(folder)
    write_private(owner, _json({"site": site.name}))
    changes = ensure_pki(site, folder)
    write_private(folder / VARIABLES, _json(trust_variables(site, folder)))
    return changes


class _Owner(TypedDict):
    """What ``site.json`` says."""

    site: str


def _owner(path: Path) -> str | None:
    """The site that a folder is of; None for a new one."""
    try:
        return read_json(path, _Owner, remedy="Name another folder, or put the file back.")["site"]
    except FileNotFoundError:
        return None


def _json(content: object) -> bytes:
    return (json.dumps(content, indent=1) + "\n").encode()
