"""Each module of the collection says what it takes in a form that ansible-doc reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from tests.unit.lab.ansible.plugins import COLLECTIONS, plugin

if TYPE_CHECKING:
    from pathlib import Path

MODULES = sorted(COLLECTIONS.glob("ansible_collections/pacslab/lab/plugins/modules/*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_documents_what_it_takes(path: Path) -> None:
    told = yaml.safe_load(plugin(f"modules.{path.stem}").DOCUMENTATION)
    assert told["module"] == path.stem
    assert all(option["description"] for option in told["options"].values())
