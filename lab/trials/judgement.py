"""What the plays of a trial (``playbooks/role.yml``) say of a role."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.ansible.play import BAD, message
from lab.results.model import Outcome, Promise, Result, judged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lab.ansible.play import TaskResult

PREREQUISITES, INSTALL_AGAIN = "Prerequisites", "Install again"
FORETELL, CONVERGE = "Foretell", "Converge"
FORETELL_AGAIN, CONVERGE_AGAIN = "Foretell again", "Converge again"
"""Names of the plays."""

INSTALLED = Promise("role.installs-once", "Installing the role again on its own image changes nothing.")
FORETOLD = Promise("role.foretells", "On a fresh host Ansible's check mode says exactly what converging then changes.")
CONVERGES = Promise("role.converges", "The role converges on a host that has what it needs.")
QUIET = Promise("role.foretells-nothing", "On a converged host Ansible's check mode foretells nothing.")
UNCHANGED = Promise("role.converges-once", "Converging again changes nothing.")
HEALTHY = Promise("role.becomes-healthy", "Every service of the host is healthy.")
HARDENED = Promise("role.is-hardened", "The hardening checks of the host pass.")

COMPARED = ("files", "commands", "units")
"""What a task of ``pacslab.lab.configure`` says of its changes; of other modules the word 'changed' is compared."""


@dataclass(frozen=True)
class Change:
    """What a task changed, or would change."""

    task: str
    changed: bool
    details: str

    def __str__(self) -> str:
        """For people."""
        return f"{self.task!r}: {self.details or 'changed'}" if self.changed else f"{self.task!r}: nothing"


def judge(host: str, results: Sequence[TaskResult]) -> Iterator[Result]:
    """Judge what the plays did on a host; nothing that did not happen is judged as kept."""
    failed = next((result for result in results if result.status in BAD), None)
    reached = _PLAYS.index(failed.play) if failed is not None else len(_PLAYS)
    for promise, play in _ORDER:
        plays = {name: [result for result in results if result.play == name and result.role] for name in _PLAYS}
        last = max(_PLAYS.index(play), _PLAYS.index(CONVERGE) if promise is FORETOLD else 0)
        if failed is not None and failed.play == play:
            yield _failed(promise, host, failed)
        elif failed is not None and failed.play == PREREQUISITES and promise is CONVERGES:
            yield judged(promise, host, Outcome.ERROR, reason=f"what it builds on: {_said(failed)}")
        elif reached <= last:
            yield judged(promise, host, Outcome.SKIPPED, reason=f"play {_PLAYS[reached]!r} failed")
        elif not plays[play]:
            yield judged(promise, host, Outcome.NOT_APPLICABLE, reason=f"the role does nothing in play {play!r}")
        elif promise is FORETOLD:
            yield _foretold(host, plays[FORETELL], plays[CONVERGE])
        elif promise is CONVERGES:
            yield judged(promise, host, Outcome.PASSED, observed=f"tasks: {len(plays[play])}")
        else:
            yield _nothing(promise, host, plays[play])


def foreknowing(role: Path, host: str) -> Result | None:
    """Give an error if the role asks whether Ansible's check mode is on.

    The trial's plays turn it on for tasks and not for ``ansible_check_mode``, so there the role would not do what it
    does with ``--check``.
    """
    asks = [path for path in sorted(role.rglob("*.yml")) if "ansible_check_mode" in path.read_text("utf-8")]
    if not asks:
        return None
    reason = f"{asks[0].relative_to(role.parent)} asks for ansible_check_mode, so its check mode cannot be tried"
    return judged(FORETOLD, host, Outcome.ERROR, reason=reason)


def _failed(promise: Promise, host: str, failed: TaskResult) -> Result:
    if not failed.role:  # a task of the trial's own
        return judged(promise, host, Outcome.ERROR, reason=_said(failed))
    return judged(
        promise, host, Outcome.FAILED, expected="no failure", observed=_said(failed),
        remedy=f"Correct roles/{failed.role}.",
    )  # fmt: skip


def _said(failed: TaskResult) -> str:
    return f"{failed.host}: role {failed.role or '-'}, task {failed.task!r} failed: {message(dict(failed.data))}"


_PLAYS = (PREREQUISITES, INSTALL_AGAIN, FORETELL, CONVERGE, FORETELL_AGAIN, CONVERGE_AGAIN)
_ORDER = (
    (INSTALLED, INSTALL_AGAIN),
    (FORETOLD, FORETELL),
    (CONVERGES, CONVERGE),
    (QUIET, FORETELL_AGAIN),
    (UNCHANGED, CONVERGE_AGAIN),
)


def _nothing(promise: Promise, host: str, results: Sequence[TaskResult]) -> Result:
    changes = [str(change) for change in map(change_of, results) if change.changed]
    return judged(
        promise, host, Outcome.FAILED if changes else Outcome.PASSED, expected="no change",
        observed="; ".join(changes) or "nothing changed",
        remedy=f"Correct roles/{results[0].role}: a task is to find what it wants in place." if changes else "",
        facts=_unchecked(results),
    )  # fmt: skip


def _foretold(host: str, told: Sequence[TaskResult], done: Sequence[TaskResult]) -> Result:
    """Compare task by task, in their order: a task that one play had and the other had not is a difference too."""
    expected, observed = ([change_of(result) for result in results] for results in (done, told))
    lies = [(seen, other) for seen, other in zip(observed, expected, strict=False) if seen != other]
    missing = [change.task for change in [*observed[len(expected) :], *expected[len(observed) :]]]
    good = not lies and not missing
    return judged(
        FORETOLD, host, Outcome.PASSED if good else Outcome.FAILED,
        expected="; ".join(str(change) for _, change in lies) or "the same tasks",
        observed="; ".join(str(change) for change, _ in lies)
        or (f"{', '.join(missing)} in one play only" if missing else "the same"),
        remedy="" if good else f"Have the task of roles/{done[0].role} say in check mode what it would change.",
        facts=_unchecked(told),
    )  # fmt: skip


def change_of(result: TaskResult) -> Change:
    """What a task says of its change."""
    changed = result.status == "changed"
    details = {key: result.data[key] for key in COMPARED if changed and result.data.get(key)}
    return Change(result.task, changed, json.dumps(details, sort_keys=True) if details else "")


def _unchecked(results: Sequence[TaskResult]) -> dict[str, Any]:
    """What check mode says itself that it cannot know."""
    said = [sentence for result in results for sentence in result.data.get("unchecked") or ()]
    return {"unchecked": said} if said else {}
