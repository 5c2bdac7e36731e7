"""README and pages: nothing generated is stale, every verb is explained, every command and link is right."""

from __future__ import annotations

import importlib
import re
import shlex
from typing import TYPE_CHECKING, cast

import pytest

from lab.cli.main import VERBS, build_parser
from lab.docs.pages import generated
from lab.docs.parts import renew
from lab.operate.left_over import Kind
from lab.settings import ROOT
from simulators.command_line import parser_of
from simulators.commands import COMMANDS
from tests.unit.lab.docs.pages import DOCS, PAGES, anchors

if TYPE_CHECKING:
    from pathlib import Path

    from lab.cli.main import Verb

COMMON = {"--help", "--site", "--lab", "--json"}
_COMMAND = re.compile(r"^ {4}(?:[A-Z_]+=\S+ |sudo |echo \w+ \| )?(?:\.venv/bin/)?pacslab ([a-z].*)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)")
_LIMITS = 220


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def module(verb: str) -> Verb:
    return cast("Verb", importlib.import_module(f"lab.cli.{verb}"))


def commands(page: Path) -> list[str]:
    """Return the pacslab commands of a page's blocks, without their explanation; forms with [words] are left out."""
    found = [re.split(r" {2,}| \| | > ", line)[0] for line in _COMMAND.findall(page.read_text("utf-8"))]
    return [line for line in found if "[" not in line]


def test_what_is_generated_is_fresh() -> None:
    made = generated()
    stale = [name(path) for path, text in made.items() if not path.is_file() or path.read_text("utf-8") != text]
    assert stale == [], "run `make docs`"
    assert len(made) > 40


def test_a_page_without_the_mark_of_a_generated_part_is_refused() -> None:
    with pytest.raises(ValueError, match="no part named errors"):
        renew("# A page\n", {"errors": lambda: ""})


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_page_that_tells_its_exit_codes(verb: str) -> None:
    text = (DOCS / f"{verb}.md").read_text("utf-8")
    assert text.startswith(f"# pacslab {verb}")
    assert re.search(r"[Ee]xit codes?:? \S*\d", text) or "Exit codes: the command's" in text


@pytest.mark.parametrize("verb", VERBS)
def test_a_verbs_page_explains_each_of_its_flags(verb: str) -> None:
    text = (DOCS / f"{verb}.md").read_text("utf-8")
    flags = {
        flag
        for action in build_parser(verb, module(verb))._actions  # noqa: SLF001 # argparse tells it no other way
        for flag in action.option_strings
        if flag.startswith("--")
    }
    assert [flag for flag in sorted(flags - COMMON) if flag not in text] == []


@pytest.mark.parametrize("verb", VERBS)
def test_a_verbs_page_shows_the_first_example_of_its_help(verb: str) -> None:
    first = module(verb).EXAMPLE.strip().splitlines()[0].split(" > ")[0]
    words = first.split()[:3]
    assert " ".join(words) in (DOCS / f"{verb}.md").read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_pacslab_command_is_one_that_its_verb_takes(page: Path) -> None:
    for line in commands(page):
        verb, *rest = shlex.split(line, comments=True)
        assert verb in VERBS, line
        try:
            build_parser(verb, module(verb)).parse_args(rest)
        except SystemExit as end:
            pytest.fail(f"pacslab {line}: exit code {end.code}")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_simulators_command_is_one_that_its_verb_takes(page: Path) -> None:
    for line in commands(page):
        program, *words = shlex.split(line.partition(" -- ")[2], comments=True) or [""]
        if program not in COMMANDS:
            continue
        verbs = importlib.import_module(COMMANDS[program].partition(":")[0]).VERBS
        try:
            parser_of(program, "", verbs).parse_args(words)
        except SystemExit as end:
            pytest.fail(f"{line}: exit code {end.code}")


def test_commands_are_found_on_the_pages() -> None:
    assert {line.split()[0] for page in PAGES for line in commands(page)} == set(VERBS)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_make_target_is_one_of_the_makefile(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    text = page.read_text("utf-8")
    asked = set(re.findall(r"`make ([a-z-]+)", text)) | set(re.findall(r"^ {4}make ([a-z-]+)", text, re.MULTILINE))
    assert asked <= targets


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for path, anchor in _LINK.findall(text):
        if path.startswith(("http:", "https:")):
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), path
        if anchor:
            assert anchor in anchors(target), f"{path}#{anchor}"


def test_every_page_can_be_reached_from_the_contents() -> None:
    linked = {
        (page.parent / path).resolve()
        for page in (ROOT / "README.md", DOCS / "index.md", DOCS / "roles" / "README.md")
        for path, _ in _LINK.findall(page.read_text("utf-8"))
        if path
    }
    assert [name(page) for page in PAGES if page.resolve() not in linked and page != ROOT / "README.md"] == []


def test_troubleshooting_has_every_kind_of_what_doctor_lists() -> None:
    text = (DOCS / "troubleshooting.md").read_text("utf-8")
    assert [kind for kind in Kind if f"| `{kind}` |" not in text] == []


def test_the_readme_is_one_page_with_the_picture() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert "(docs/reference-site.svg)" in text
    assert len(text.splitlines()) <= _LIMITS
