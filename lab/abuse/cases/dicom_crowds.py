"""A permitted scanner that takes more than its share of an archive, or puts octets into its log."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lab.abuse import edges
from lab.abuse.evidence import Evidence, words_of
from lab.abuse.failure import require
from lab.abuse.misuse import Misuse, misuse
from lab.abuse.model import AbuseCase
from lab.abuse.parties import scanner_at_archive
from lab.abuse.sights import names_of
from lab.abuse.weakening import Edit

if TYPE_CHECKING:
    from lab.abuse.attempt import Tried
    from lab.abuse.scene import Scene

MARK = "attempt"


def _refused(reason: str, scene: Scene) -> Evidence:
    return Evidence(scene.parties.target, reason, about=(names_of(scene, scene.parties.source),))


def _all_held(scene: Scene, tried: Tried) -> str:
    """Harm: the scanner has every association that it wanted, and gives back none."""
    held = tried.facts["held"]
    return "" if tried.refused else f"{scene.parties.source} holds {held} associations of {scene.parties.target}"


def _other_served(scene: Scene, _: Tried) -> str:
    """Unharmed: another scanner is answered.

    Raises:
        NotAsPromised: it is not.
    """
    target, other = scene.parties.target, scene.parties.other
    answer = misuse(scene, other, "dicom-control")
    require(not answer.refused, f"afterwards {target} refuses {other}: {answer.detail}")
    return f"{target} still answers {other}"


def _line_of_its_own(scene: Scene, tried: Tried) -> str:
    """Harm: the archive's own log has a line that the scanner wrote."""
    host, text = scene.parties.target, str(tried.facts["text"])
    lines = [words_of(line) for line in scene.logged(host)]
    met = next((line for line in lines if text in line and not line.startswith("haproxy:")), "")
    return f"a line of {host}'s log is {scene.parties.source}'s: {met}" if met else ""


_SCANNER = partial(AbuseCase, parties=scanner_at_archive, unharmed=_other_served)


def _all_answered(scene: Scene, tried: Tried) -> str:
    """Harm: one association has a thread of the archive for as long as the scanner likes."""
    answered, target = tried.facts["answered"], scene.parties.target
    return "" if tried.refused else f"{target} answers {answered} requests of one association, and would go on"


CASES = (
    _SCANNER(
        "abuse.dicom-endless",
        "DICOM: a scanner asks without end in one association",
        attempt=Misuse("dicom-endless"),
        evidence=partial(_refused, "too-many-messages"),
        harm=_all_answered,
        control="the DICOM edge counts the messages of an association, and ends it after a number",
        weakenings=(
            edges.RELOADED(
                "the edge counts no messages",
                (Edit(edges.DICOM, r"^ *filter lua\.association_limits .*\n", ""),),
            ),
        ),
    ),
    _SCANNER(
        "abuse.dicom-crowd",
        "DICOM: a scanner opens association after association, and does nothing in them",
        attempt=Misuse("dicom-crowd"),
        evidence=partial(_refused, "too-many-associations"),
        harm=_all_held,
        control="the DICOM edge limits the associations of each caller, to fewer than the archive serves at once",
        weakenings=(
            edges.RELOADED(
                "the edge counts no associations",
                edges.without(edges.DICOM, "too-many-associations"),
            ),
        ),
    ),
    _SCANNER(
        "abuse.dicom-title",
        "DICOM: a called AE title with a line feed begins a line of the archive's log",
        attempt=Misuse("dicom-title", words=lambda scene: ["--text", f"{MARK}{scene.number()}"]),
        evidence=partial(_refused, "ae-title"),
        harm=_line_of_its_own,
        control="the DICOM edge lets AE titles of PS3.5 6.2 through, and no others",
        weakenings=(edges.RELOADED("the edge looks at no character", edges.without(edges.DICOM, "ae-title")),),
        closes_anyway=True,
    ),
)
