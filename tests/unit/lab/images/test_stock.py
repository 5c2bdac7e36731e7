"""Which images count as there, and which may go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lab.cli.main import main
from lab.engine.client import ConflictError
from lab.engine.images import Images
from lab.errors import EngineError
from lab.images import prune as prune_module
from lab.images.ensure import _refuse_changed, present
from lab.images.recipe import LABEL_KEY, LABEL_ROLES
from lab.settings import Settings
from tests.unit.lab.images.site import Repository

if TYPE_CHECKING:
    from pathlib import Path

    from lab.images.recipe import Recipe


class Engine(Images):
    """An engine that has these images; those in ``used`` it does not give up."""

    def __init__(self, images: list[dict[str, Any]], used: tuple[str, ...] = ()) -> None:
        """Hold what Docker would."""
        super().__init__("/nowhere")
        self.stock = images
        self.used = used
        self.gone: list[str] = []

    def listed(self, *labels: str) -> list[dict[str, Any]]:
        """What Docker lists."""
        assert labels == (LABEL_KEY,)
        return self.stock

    def remove(self, image: str) -> None:
        """Refuse what is in use."""
        if image in self.used:
            raise ConflictError("in use", remedy="")
        self.gone.append(image)


def image(recipe: Recipe, *tags: str) -> dict[str, Any]:
    """An image as Docker lists it."""
    return {"Id": f"id of {recipe.name}", "RepoTags": list(tags) or [recipe.tag], "Labels": recipe.labels}


@pytest.fixture
def recipes(tmp_path: Path) -> dict[str, Recipe]:
    return Repository(tmp_path).recipes(base="0" * 64)


def test_an_image_is_there_by_name_and_key(recipes: dict[str, Recipe]) -> None:
    web = recipes["common+web"]
    assert present(Engine([image(web)]), recipes.values()) == {web.key: "id of common+web"}


def test_a_snapshot_of_a_host_is_not_taken_for_the_image_that_it_came_from(recipes: dict[str, Recipe]) -> None:
    web = recipes["common+web"]
    assert present(Engine([image(web, "pacslab-snapshot/monday:one")]), recipes.values()) == {}


def test_an_image_with_an_old_key_under_the_name_is_not_there(recipes: dict[str, Recipe]) -> None:
    stale = image(recipes["common+web"])
    stale["Labels"] = {LABEL_ROLES: "common,web", LABEL_KEY: "f" * 64}
    assert present(Engine([stale]), recipes.values()) == {}


def test_an_image_whose_files_changed_while_it_was_baked_is_given_up(
    recipes: dict[str, Recipe], tmp_path: Path
) -> None:
    repository = Repository(tmp_path)
    repository.write("roles/web/files/new", "x")
    now = {recipe.roles: recipe for recipe in repository.recipes(base="0" * 64).values()}
    engine = Engine([])
    with pytest.raises(EngineError, match="role web"):
        _refuse_changed(engine, [recipes["common+web"], recipes["common+program"]], now)
    assert engine.gone == [recipes["common+web"].tag]


def test_pruning_removes_what_no_site_needs_children_first(
    recipes: dict[str, Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = {recipe.roles: recipe for recipe in recipes.values() if "program" not in recipe.roles}
    monkeypatch.setattr(prune_module, "load_site", lambda _path: None)
    monkeypatch.setattr(prune_module, "recipes_of", lambda _site, _settings: wanted)
    old = Repository(tmp_path / "old").recipes(base="1" * 64)
    engine = Engine(
        [image(recipe) for recipe in (*recipes.values(), *old.values()) if recipe.installs]
        + [image(old["common"], "pacslab-snapshot/monday:one")],
        used=(old["debian"].tag,),
    )
    settings = Settings(tmp_path / "inventories", tmp_path / "roles", tmp_path / "state")
    result = prune_module.prune(engine, settings)
    removed = [old["common+program"].tag, old["common+web"].tag, recipes["common+program"].tag, old["common"].tag]
    assert sorted(result.removed) == sorted(removed)
    assert result.removed[-1] == old["common"].tag
    assert result.in_use == [old["debian"].tag]


@pytest.mark.parametrize("names", [None, [], ["<none>:<none>"]])
def test_an_image_that_was_built_again_goes_by_its_id(
    names: list[str] | None, recipes: dict[str, Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = recipes["common+web"]
    monkeypatch.setattr(prune_module, "load_site", lambda _path: None)
    monkeypatch.setattr(prune_module, "recipes_of", lambda _site, _settings: {web.roles: web})
    (tmp_path / "inventories" / "one").mkdir(parents=True)
    (tmp_path / "inventories" / "one" / "topology.yml").touch()
    engine = Engine([image(web), {**image(web), "Id": "sha256:old", "RepoTags": names}])
    result = prune_module.prune(engine, Settings(tmp_path / "inventories", tmp_path / "roles", tmp_path / "state"))
    assert engine.gone == ["sha256:old"]
    assert result.removed == ["sha256:old (superseded: common,web)"]


def test_what_keeps_images_is_named_with_how_to_remove_it(tmp_path: Path) -> None:
    settings = Settings(inventories=tmp_path, roles=tmp_path, state=tmp_path / "state")
    assert prune_module.users(settings) == []
    for path in ("reference/lab.json", "cache/wheels/x", "snapshots/monday/lab.json", "gone/run.jsonl"):
        (settings.state / path).parent.mkdir(parents=True)
        (settings.state / path).touch()
    assert prune_module.users(settings) == ["pacslab down --lab reference", "pacslab snapshot remove monday"]


def test_removing_all_says_what_to_do_first_when_images_are_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PACSLAB_STATE", str(tmp_path))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "lab.json").touch()
    kept = prune_module.Pruned(removed=["pacslab/a:1"], in_use=["pacslab/b:2"])
    monkeypatch.setattr(prune_module, "remove_all", lambda _docker, _settings: kept)
    with pytest.raises(SystemExit) as ended:
        main(["build", "--remove"])
    said = capsys.readouterr()
    assert ended.value.code == 1
    assert "in use, kept: pacslab/b:2" in said.out
    assert "pacslab down --lab other" in said.err
