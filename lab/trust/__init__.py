"""A lab's trust: its PKI and the secrets it makes for itself, kept below the lab's folder and never in git."""

from __future__ import annotations

from lab.trust.partners import ensure_partners
from lab.trust.pki import ensure_pki, held, retire, revoke, rotate
from lab.trust.secrets import ensure_secrets
from lab.trust.session import Changes
from lab.trust.store import pki_folder

__all__ = [
    "Changes",
    "ensure_partners",
    "ensure_pki",
    "ensure_secrets",
    "held",
    "pki_folder",
    "retire",
    "revoke",
    "rotate",
]
