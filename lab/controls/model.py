"""Types of the files of ``controls/``: what a person writes, exactly, and nothing derived."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from lab.topology.model import Strict

CLAIM = r"^[a-z0-9*?-]+(\.[a-z0-9*?-]+)+$"
CONTROL = r"^[A-Z]{2}(-\d{1,2})?$"
CAPABILITY = r"^[A-Z]{4}$"
SECTION = r"^164\.3\d\d(\([A-Za-z0-9]{1,3}\))*$"
ANNEX = r"^(A(\.\d{1,2}){3}|Clause \d{1,2}(\.\d{1,2}){0,2})$"

PATTERNS = {
    CLAIM: "Write a result's id, such as segmentation.undeclared, or a pattern of several, such as segmentation.*",
    CONTROL: "Write one control of SP 800-53 Rev. 4, such as AC-2, or a family, such as AU.",
    CAPABILITY: "Write one capability of IEC TR 80001-2-2 by its four letters, such as AUTH.",
    SECTION: "Write one section of the HIPAA Security Rule without its title, such as 164.312(a)(2)(i).",
    ANNEX: "Write one control of Annex A of ISO/IEC 27001:2013, such as A.9.2.1, or a clause, such as Clause 6.1.2.",
}
"""What to write, by the pattern that a text must follow."""

Claim = Annotated[str, StringConstraints(pattern=CLAIM)]
"""A result's id, or a pattern of ids (``*`` and ``?`` as in file names)."""

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Status(StrEnum):
    """How far a control is shown; ``docs/controls.md`` explains each."""

    AUTOMATED = "automated"
    """Everything that the control asks of the site is judged by checks or steps."""
    PARTIAL = "partial"
    """Checks or steps judge a part of it; ``not_covered`` says which part is left."""
    MANUAL = "manual"
    """A person has to judge it; documents help."""
    INHERITED = "inherited"
    """Somebody else answers for it: the building, or the organisation that runs the site."""
    OPEN = "open"
    """Nothing is done about it yet."""

    @property
    def claims_results(self) -> bool:
        """Whether a row of this status names results as evidence."""
        return self in {Status.AUTOMATED, Status.PARTIAL}


COLUMNS = ("subcategory", "sp_800_53", "iec_80001_2_2", "hipaa", "iso_27001")
"""The columns of the published table that a row's file has."""


class Row(Strict):
    """One row of the map: a file of ``rows/``, named by the row's id."""

    subcategory: Text = Field(description="The subcategory's text.")
    sp_800_53: list[Annotated[str, StringConstraints(pattern=CONTROL)]] = Field(
        description="Controls of NIST SP 800-53 Rev. 4, a family as its two letters."
    )
    iec_80001_2_2: list[Annotated[str, StringConstraints(pattern=CAPABILITY)]] = Field(
        description="Security capabilities of IEC TR 80001-2-2; table.yml has them."
    )
    hipaa: list[Annotated[str, StringConstraints(pattern=SECTION)]] = Field(
        description="Sections of the HIPAA Security Rule, 45 C.F.R."
    )
    iso_27001: list[Annotated[str, StringConstraints(pattern=ANNEX)]] = Field(
        description="Controls of Annex A of ISO/IEC 27001:2013, or clauses of the standard."
    )
    status: Status = Field(description="How far it is shown: automated, partial, manual, inherited or open.")
    covered: Text | None = Field(default=None, description="What the evidence shows, in one or two sentences.")
    not_covered: Text = Field(description="What is left, in honest words; also where nearly everything is shown.")
    evidence: list[Claim] = Field(default_factory=list, description="Results that support it, by id or pattern.")
    documents: list[Text] = Field(default_factory=list, description="Files of the project that support it, by path.")

    def column(self, name: str) -> list[str]:
        """A column of the table by its name in the file; the subcategory's text is one entry.

        Raises:
            KeyError: there is no such column.
        """
        if name not in COLUMNS:
            raise KeyError(name)
        cell = getattr(self, name)
        return [cell] if isinstance(cell, str) else list(cell)


class Category(Strict):
    """A category and its rows, in the order of the table."""

    id: Text = Field(description="The category's id.")
    title: Text = Field(description="The category's title.")
    rows: list[Text] = Field(min_length=1, description="Ids of its rows, each a file of rows/.")


class Function(Strict):
    """A function of the framework and its categories."""

    id: Text = Field(description="The function's id.")
    title: Text = Field(description="The function's title.")
    categories: list[Category] = Field(min_length=1, description="Its categories.")


class Table(Strict):
    """The map's order, headings and vocabulary: ``table.yml``."""

    title: Text = Field(description="The table's title.")
    columns: dict[str, Text] = Field(description="Headings of the columns, by their name in the rows' files.")
    functions: list[Function] = Field(min_length=1, description="The functions in the order of the table.")
    capabilities: dict[str, Text] = Field(description="Titles of the capabilities that rows may name.")


class Correction(Strict):
    """A part of a cell that stands otherwise than in the published table."""

    row: Text | None = Field(default=None, description="The row's id; left out where the whole table is meant.")
    column: Text = Field(description="The column's name in the row's file, or category, or heading.")
    stood: str = Field(description="What was published; empty for a blank cell.")
    stands: Text = Field(description="What stands now.")
    why: Text = Field(description="Why, with the source.")


class Left(Strict):
    """A part of a cell that looks wrong, and was left as it was published."""

    row: Text = Field(description="The row's id.")
    column: Text = Field(description="The column's name in the row's file.")
    stands: str = Field(description="What stands there; empty for an empty cell.")
    why: Text = Field(description="Why it was looked at, and why it was left.")


class Corrections(Strict):
    """Every correction of the published table: ``corrections.yml``."""

    corrections: list[Correction] = Field(description="What was corrected.")
    left: list[Left] = Field(description="What was looked at and left.")


class Retired(Strict):
    """An id that was used once."""

    id: Annotated[str, StringConstraints(pattern=CLAIM)] = Field(description="The id.")
    since: dt.date = Field(description="The day from which on it is no longer used.", examples=["2026-01-31"])
    why: Text = Field(description="What came of it.")


class RetiredIds(Strict):
    """Ids that must not come back: ``retired-ids.yml``."""

    retired: list[Retired] = Field(description="The ids.")


class Additions(Strict):
    """Evidence that a new check, scenario or abuse case brings along: a file of ``evidence/``."""

    supports: dict[str, list[Claim]] = Field(
        min_length=1, description="For each row that it supports, results by id or pattern."
    )
