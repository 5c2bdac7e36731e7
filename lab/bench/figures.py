"""What a measurement found: medians over repetitions, and the ratio that it is judged by."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HOUR = 3600


@dataclass(frozen=True)
class Figure:
    """One comparison; the runs of both sides alternated.

    Attributes:
        name: what was measured.
        peer: what it is measured against.
        seconds: each run of what was measured.
        peer_seconds: each run of the peer.
        aim: the bound that the ratio has to keep; None where it is only measured.
        faster: True where the ratio is speed against the peer and ``aim`` a least value; False where it is time
            against the peer and ``aim`` a greatest one.
        amounts: what was done in those seconds, by name, where that is told by the hour too.
    """

    name: str
    peer: str
    seconds: tuple[float, ...]
    peer_seconds: tuple[float, ...]
    aim: float | None
    faster: bool
    amounts: Mapping[str, int] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """Median against median."""
        ours, theirs = median(self.seconds), median(self.peer_seconds)
        return theirs / ours if self.faster else ours / theirs

    @property
    def passed(self) -> bool:
        """Whether the ratio keeps the bound."""
        if self.aim is None:
            return True
        return self.ratio >= self.aim if self.faster else self.ratio <= self.aim

    @property
    def an_hour(self) -> dict[str, int]:
        """How much would be done in an hour, by name."""
        return {name: round(amount * HOUR / median(self.seconds)) for name, amount in self.amounts.items()}

    @property
    def peer_an_hour(self) -> dict[str, int]:
        """How much the peer would do."""
        return {name: round(amount * HOUR / median(self.peer_seconds)) for name, amount in self.amounts.items()}

    def as_dict(self) -> dict[str, object]:
        """Return the figure as ``--json`` prints it."""
        rates = {"an_hour": self.an_hour, "peer_an_hour": self.peer_an_hour}
        return {
            "name": self.name,
            "peer": self.peer,
            "seconds": round(median(self.seconds), 3),
            "peer_seconds": round(median(self.peer_seconds), 3),
            "runs": [round(seconds, 3) for seconds in self.seconds],
            "peer_runs": [round(seconds, 3) for seconds in self.peer_seconds],
            "repetitions": len(self.seconds),
            "ratio": round(self.ratio, 3),
            "ratio_is": "peer's seconds / seconds" if self.faster else "seconds / peer's seconds",
            "aim": "none" if self.aim is None else f"{'at least' if self.faster else 'at most'} {self.aim:g}",
            "passed": self.passed,
            **(rates if self.amounts else {}),
        }


def alternate(
    runs: Mapping[str, Callable[[], float]], repetitions: int, say: Callable[[str], None]
) -> dict[str, tuple[float, ...]]:
    """Take each measurement in turn, ``repetitions`` times over; return the seconds of each.

    Alternating spreads whatever else the machine does over all of them. Each round begins with another one, so that
    none always follows the same: what a run leaves behind (caches, data to be written) is the next one's to bear.
    """
    taken: dict[str, list[float]] = {name: [] for name in runs}
    names = deque(runs)
    for repetition in range(1, repetitions + 1):
        for name in names:
            taken[name].append(runs[name]())
            say(f"{repetition}/{repetitions} {name}: {taken[name][-1]:.2f} s")
        names.rotate(-1)
    return {name: tuple(seconds) for name, seconds in taken.items()}
