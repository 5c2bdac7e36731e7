"""Publicly known weaknesses of the parts, as people recorded them with what is done about each: ``weaknesses/*.yml``.

A site may answer otherwise than the project: ``weaknesses.yml`` beside its ``topology.yml`` has responses by id.
"""

from __future__ import annotations

from datetime import date  # pydantic reads annotations
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, Field, StringConstraints, ValidationError, field_validator, model_validator
from univers.version_range import VersionRange
from univers.versions import DebianVersion, InvalidVersion, PypiVersion, SemverVersion, Version

from lab.assets.model import Kind, Package
from lab.errors import UsageError
from lab.settings import ROOT
from lab.topology.model import RoleName, Strict
from lab.topology.role import VariableName

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lab.topology.site import Site

FOLDER = ROOT / "weaknesses"
SITE_FILE = "weaknesses.yml"
VERSIONS: dict[Kind, type[Version]] = {
    Kind.DEBIAN: DebianVersion,
    Kind.PYTHON: PypiVersion,
    Kind.NPM: SemverVersion,
}
"""How versions are compared: Debian Policy 5.6.12, PEP 440, Semantic Versioning 2.0.0."""

WeaknessId = Annotated[str, StringConstraints(pattern=r"^(CVE-[0-9]{4}-[0-9]{4,}|ICSMA-[0-9]{2}-[0-9]{3}-[0-9]{2})$")]
"""The number of a publicly known weakness: CVE's, or that of an advisory which has none."""
Words = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
M = TypeVar("M", bound=BaseModel)


class Answer(StrEnum):
    """What is done about a risk (SP 800-39 3.3)."""

    ACCEPT = "accept"
    """It is known, and stays."""
    MITIGATE = "mitigate"
    """Something else makes it less likely or less bad."""
    AVOID = "avoid"
    """What has the weakness is not installed, or not used."""


class Response(Strict):
    """What somebody decided about a weakness."""

    answer: Answer
    reason: Words = Field(description="Why that is enough, so that another can judge it.")
    date: date


class Affected(Strict):
    """Packages that have a weakness in some of their versions."""

    kind: Kind
    name: Words = Field(description="The package; `*` stands for any characters, as a library's name has its number.")
    versions: Words = Field(description="As `vers` has them, without its head: `<1.12.11`, `>=1.0.0|<=3.0.4`, `*`.")

    @field_validator("versions")
    @classmethod
    def _versions_are_a_range(cls, versions: str, info: Any) -> str:
        _range(info.data["kind"], versions)  # a ValueError says what is wrong
        return versions

    def has(self, package: Package) -> bool:
        """Whether a package is one of these, in such a version; of a version that cannot be read, that it is."""
        if package.kind is not self.kind or not fnmatchcase(package.name, self.name):
            return False
        try:
            version = VERSIONS[self.kind](package.version)
        except InvalidVersion:
            return True
        return version in _range(self.kind, self.versions)


class Comes(Strict):
    """With what a part that has the weakness is installed, so that it is told before an image is built."""

    role: RoleName
    when: dict[VariableName, str] = Field(
        default_factory=dict,
        description="Variables of the site's group_vars, with the values for which it is installed; none: always.",
    )


class Weakness(Strict):
    """One publicly known weakness, or several that are alike in all that stands here."""

    ids: list[WeaknessId] = Field(min_length=1)
    what: Words = Field(description="What it allows, and where it is closed.")
    cvss: float | None = Field(default=None, ge=0, le=10, description="CVSS 3.1 base score, where one is published.")
    affects: list[Affected] = Field(min_length=1)
    source: Words = Field(description="Whose record this is.")
    comes_with: Comes | None = None
    response: Response | None = Field(default=None, description="Without one, `pacslab weaknesses` ends with 1.")

    @property
    def severity(self) -> str:
        """CVSS's word for the score (CVSS 3.1, 5), or ``unknown``."""
        if self.cvss is None:
            return "unknown"
        bounds = {"none": 0.0, "low": 3.9, "medium": 6.9, "high": 8.9, "critical": 10.0}
        return next(word for word, most in bounds.items() if self.cvss <= most)


class Part(Strict):
    """A part of hosts, and what is known of it."""

    part: Words = Field(description="What people call it.")
    weaknesses: list[Weakness] = Field(min_length=1)


class Known(Strict):
    """A weakness with the part that has it."""

    part: str
    weakness: Weakness


class SiteResponses(Strict):
    """What a site decided itself: it counts in place of the project's response."""

    responses: dict[WeaknessId, Response]

    @model_validator(mode="before")
    @classmethod
    def _empty_means_none(cls, content: Any) -> Any:
        return {"responses": {}} if content is None else content


@cache
def _range(kind: Kind, versions: str) -> VersionRange:
    found: VersionRange = VersionRange.from_string(f"vers:{kind}/{versions}")  # type: ignore[no-untyped-call] # univers has no types here
    return found


def load_known(folder: Path = FOLDER) -> list[Known]:
    """Every weakness of every part, in the order of the files' names.

    Raises:
        UsageError: a file has mistakes, or two entries have one id.
    """
    found = [
        Known(part=part.part, weakness=weakness)
        for path in sorted(folder.glob("*.yml"))
        for part in [_read(path, Part)]
        for weakness in part.weaknesses
    ]
    ids = [name for known in found for name in known.weakness.ids]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise UsageError(
            f"{folder}: {', '.join(twice)} stands there more than once.", remedy="Leave one entry of each number."
        )
    return found


def known_at(site: Site, folder: Path = FOLDER) -> list[Known]:
    """The same with a site's own responses in place of the project's; an entry may come apart over them.

    Raises:
        UsageError: a file has mistakes, or the site responds to a number that is not known.
    """
    known = load_known(folder)
    path = site.path.parent / SITE_FILE
    if not path.is_file():
        return known
    own = _read(path, SiteResponses).responses
    unknown = sorted(own.keys() - {name for entry in known for name in entry.weakness.ids})
    if unknown:
        raise UsageError(
            f"{path} has a response to {', '.join(unknown)}, which no file of {folder} knows.",
            remedy="Correct the number, or add the weakness there.",
        )
    return [
        Known(part=entry.part, weakness=entry.weakness.model_copy(update={"ids": ids, "response": response}))
        for entry in known
        for ids, response in _apart(entry.weakness, own)
    ]


def _apart(weakness: Weakness, own: dict[str, Response]) -> list[tuple[list[str], Response | None]]:
    """The ids of an entry by what answers them, in their order."""
    groups: list[tuple[list[str], Response | None]] = []
    for name in weakness.ids:
        response = own.get(name, weakness.response)
        same = next((ids for ids, answer in groups if answer == response), None)
        if same is None:
            groups.append(([name], response))
        else:
            same.append(name)
    return groups


def _read(path: Path, model: type[M]) -> M:
    try:
        return model.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no YAML: {error}", remedy="Correct the file.") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "the file"
        raise UsageError(
            f"{path}: {where}: {first['msg']}.", remedy="docs/weaknesses.md says what such a file has."
        ) from error


def packages_with(known: Known, packages: Sequence[Package]) -> list[Package]:
    """Those packages that have a weakness."""
    return [package for package in packages if any(part.has(package) for part in known.weakness.affects)]
