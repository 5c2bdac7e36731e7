"""The generated tables of ``docs/detections.md``: every rule, the abuses that they answer, and the kinds of event."""

from __future__ import annotations

from simulators.siem.abuses import ABUSES
from simulators.siem.behaviour.measures import AE_TITLE, AMOUNTS, HOUR, PERSON, PLACES
from simulators.siem.sigma.logsources import LOGSOURCES, MEANINGS
from simulators.siem.sigma.model import Correlation, Level
from simulators.siem.sigma.read import load


def rules_table() -> str:
    """Return every rule that raises alerts, by the name of its file."""
    rows = [
        f"| `{head.file.removesuffix('.yml')}` | {head.title} | {head.level} | {', '.join(head.ours.abuse)} |"
        f" {', '.join(head.attack)} | {', '.join(head.ours.control)} |"
        for detection in load()
        for head in [detection.head]
        if isinstance(detection, Correlation) or head.level is not Level.INFORMATIONAL
    ]
    return "\n".join(["| rule | what | level | abuse | ATT&CK | control |", "| --- " * 6 + "|", *rows, ""])


def abuses_table() -> str:
    """Return the abuses with the rules that answer each."""
    answers: dict[str, list[str]] = {abuse: [] for abuse in ABUSES}
    for detection in load():
        for abuse in detection.head.ours.abuse:
            answers[abuse].append(f"`{detection.head.file.removesuffix('.yml')}`")
    rows = [f"| {abuse} | {means} | {', '.join(sorted(answers[abuse])) or '-'} |" for abuse, means in ABUSES.items()]
    return "\n".join(["| abuse | what | rules |", "| --- | --- | --- |", *rows, ""])


def logsources_table() -> str:
    """Return what ``logsource`` of a rule can be."""
    rows = [
        f"| `{product}` | {f'`{service}`' if service else '-'} | {MEANINGS[product, service]} |"
        f" {', '.join(f'`{dataset}`' for dataset in sorted(datasets))} |"
        for (product, service), datasets in LOGSOURCES.items()
    ]
    return "\n".join(["| product | service | what | datasets |", "| --- " * 4 + "|", *rows, ""])


def measures_table() -> str:
    """Return what is measured of people and AE titles."""
    who = {PERSON: "person", AE_TITLE: "AE title"}
    amounts = [
        f"| `{one.name}` | {who[one.who]} | {one.means} | {_words(one.actions)} | {one.least} |" for one in AMOUNTS
    ]
    places = [
        f"| `{one.name}` | {who[one.who]} | {one.means} | {_words(one.actions) or 'all that people do'} |"
        for one in (*PLACES, HOUR)
    ]
    return "\n".join([
        "| amount | of a | what is counted | in | never below |", "| --- " * 5 + "|", *amounts, "",
        "| place | of a | what is looked at | in |", "| --- " * 4 + "|", *places, "",
    ])  # fmt: skip


def _words(words: frozenset[str]) -> str:
    return ", ".join(f"`{word}`" for word in sorted(words))
