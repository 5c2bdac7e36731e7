"""The collection's Python, importable as Ansible itself imports it."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from lab.settings import ROOT

COLLECTIONS = ROOT / "lab" / "ansible" / "collections"


def plugin(name: str) -> Any:
    """A module of the collection, such as ``module_utils.files``."""
    if str(COLLECTIONS) not in sys.path:
        sys.path.insert(0, str(COLLECTIONS))
    return importlib.import_module(f"ansible_collections.pacslab.lab.plugins.{name}")
