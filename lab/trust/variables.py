"""What only the driver knows of a site, as variables for its roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.trust.partners import ensure_partners
from lab.trust.secrets import ensure_secrets
from lab.trust.security_key import public_halves
from lab.trust.store import pki_folder

if TYPE_CHECKING:
    from pathlib import Path

    from lab.topology.site import Site


def trust_variables(site: Site, folder: Path) -> dict[str, Any]:
    """Where a lab's PKI is, the lab's secrets, the public half of security keys, and what partners have of their own.

    What is missing is made.

    Raises:
        DamagedFileError: a file of the folder does not hold what was written there.
    """
    kept = ensure_secrets(site, folder)
    return {
        "trust_pki_dir": str(pki_folder(folder)),
        "trust_secrets": kept,
        "trust_security_keys": public_halves(site, kept),
        "trust_partners": ensure_partners(site, folder),
    }
