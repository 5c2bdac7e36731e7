"""A change makes new images of exactly those that contain what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.errors import UsageError
from lab.images.bake import inventory_of, levels
from lab.images.debian import Mirror, base_key
from tests.unit.lab.images.site import Repository

if TYPE_CHECKING:
    from pathlib import Path

ALL = {"debian", "common", "common+web", "common+web+settings", "common+program"}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def changed(repository: Repository, path: str, text: str) -> set[str]:
    """Images whose key differs once a file has been written."""
    before = repository.keys()
    repository.write(path, text)
    after = repository.keys()
    return {name for name in before if before[name] != after[name]}


def test_prefixes_that_hosts_share_are_one_image(repository: Repository) -> None:
    assert set(repository.recipes()) == ALL


@pytest.mark.parametrize(
    "path",
    [
        "roles/web/tasks/install.yml",
        "roles/web/files/a",
        "roles/web/defaults/main.yml",
        "roles/web/tasks/install/b.yml",
    ],
)
def test_what_a_role_installs_changes_only_images_that_contain_it(repository: Repository, path: str) -> None:
    assert changed(repository, path, "--- {}\n") == {"common+web", "common+web+settings"}


def test_a_shared_role_changes_every_image_above_it(repository: Repository) -> None:
    assert changed(repository, "roles/common/tasks/install.yml", "--- []\n") == ALL - {"debian"}


@pytest.mark.parametrize(
    "path", ["roles/web/tasks/configure.yml", "roles/web/templates/a.j2", "roles/web/meta/main.yml", "roles/web/README"]
)
def test_what_only_configures_changes_no_image(repository: Repository, path: str) -> None:
    assert changed(repository, path, "--- {}\n") == set()


def test_a_template_that_installing_names_counts_with_those_that_it_includes(repository: Repository) -> None:
    repository.write("roles/web/tasks/install.yml", "- template: {src: outer.j2}\n")
    repository.write("roles/web/templates/outer.j2", "{% include 'inner.j2' %}\n")
    repository.write("roles/web/templates/inner.j2", "1\n")
    assert changed(repository, "roles/web/templates/inner.j2", "2\n") == {"common+web", "common+web+settings"}


def test_sources_outside_the_role_count_and_compiled_python_does_not(repository: Repository) -> None:
    assert changed(repository, "program/main.py", "print(1)\n") == {"common+program"}
    assert changed(repository, "program/__pycache__/main.pyc", "x") == set()


def test_a_file_that_becomes_executable_counts(repository: Repository) -> None:
    before = repository.keys()
    (repository.root / "program/main.py").chmod(0o755)
    assert repository.keys()["common+program"] != before["common+program"]


def test_install_variables_of_the_site_count_for_their_role_alone(repository: Repository) -> None:
    path = "inventories/mini/group_vars/all.yml"
    assert changed(repository, path, "web_install_module: x\n") == {"common+web", "common+web+settings"}
    assert changed(repository, path, "web_install_module: x\nweb_colour: red\n") == set()


def test_install_variables_reach_the_bake(repository: Repository) -> None:
    repository.write("inventories/mini/group_vars/role_web.yml", "web_install_module: x\n")
    hosts = inventory_of([repository.recipes()["common+web"]])["all"]["hosts"]
    assert hosts["common+web"]["web_install_module"] == "x"
    assert hosts["common+web"]["image_role"] == "web"


def test_the_base_image_is_below_all(repository: Repository) -> None:
    one, two = repository.keys(base="one"), repository.keys(base="two")
    assert not set(one.values()) & set(two.values())


def test_another_mirror_is_another_base() -> None:
    keys = {
        base_key(Mirror()),
        base_key(Mirror("http://a/debian", "http://a/s")),
        base_key(Mirror("http://b", "http://b")),
    }
    assert len(keys) == 3


def test_a_role_that_installs_nothing_shares_its_parents_image(repository: Repository) -> None:
    recipes = repository.recipes()
    assert recipes["common+web+settings"].built is recipes["common+web"]
    assert recipes["common+web+settings"].key == recipes["common+web"].key


def test_the_folder_that_the_repository_stands_in_does_not_matter(tmp_path: Path) -> None:
    assert Repository(tmp_path / "a").keys() == Repository(tmp_path / "b").keys()


def test_levels_have_parents_before_children(repository: Repository) -> None:
    seen: set[str] = set()
    for level in levels(list(repository.recipes().values())):
        assert all(recipe.parent is None or recipe.parent.name in seen for recipe in level)
        seen |= {recipe.name for recipe in level}
    assert seen == ALL


def test_a_role_that_does_not_exist_is_named(repository: Repository) -> None:
    with pytest.raises(UsageError, match="one has the role absent"):
        repository.recipes(hosts={"one": ["common", "absent"]})


def test_a_source_that_does_not_exist_is_named(repository: Repository) -> None:
    repository.write("roles/web/meta/pacslab.yml", "summary: web\nsources: [gone]\n")
    with pytest.raises(UsageError, match="web is made of gone"):
        repository.keys()
