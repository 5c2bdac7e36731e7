"""Decides who is to be told of what, and tells them: each once, and again when an incident becomes graver.

Who cannot be told is tried again after a pause that doubles up to a limit; meanwhile others are told. Nobody is told
more than a number of times an hour of what is equally grave: the rest waits, and holds up nothing that is graver.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from simulators.errors import SimulatorError
from simulators.events.actions import TELL_PEOPLE
from simulators.events.report import write_event, write_failure
from simulators.siem.incidents.model import GRAVITY, State
from simulators.siem.incidents.notify import is_due
from simulators.siem.notify.mail import NotTakenError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from simulators.events.vocabulary import Facts
    from simulators.siem.incidents.model import Incident
    from simulators.siem.notify.notices import Notices, Recipient
    from simulators.siem.sigma.model import Level

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
"""Seconds before the second attempt, and between two attempts at most."""
MOST_AN_HOUR = 60
"""How often somebody is told in an hour of what is equally grave."""
FULL = 60.0
"""Seconds after which it is looked whether somebody who was told as often as that can be told more."""


class Channel(Protocol):
    """A way to somebody."""

    @property
    def recipient(self) -> Recipient:
        """Who is at its end."""

    def deliver(self, incident: Incident) -> None:
        """Tell of an incident.

        Raises:
            NotTakenError: the other side does not take this, and never will.
            SimulatorError: it cannot be told now.
        """


@dataclass
class Telling:
    """How it stands with somebody.

    Attributes:
        channel: the way to them.
        told: as how grave they were told of each incident, by its number.
        pause: seconds before they are tried again.
        again: when, by the clock; 0 where nothing keeps it.
        attempts: without success.
        trouble: why they cannot be told; empty where they can.
    """

    channel: Channel
    told: dict[int, Level]
    pause: float = FIRST_PAUSE
    again: float = 0.0
    attempts: int = 0
    trouble: str = ""


class Round:
    """Tells all that are to be told."""

    def __init__(
        self,
        notices: Notices,
        channels: Sequence[Channel],
        least: Level,
        clock: Callable[[], float],
        *,
        first_pause: float = FIRST_PAUSE,
        most_an_hour: int = MOST_AN_HOUR,
    ) -> None:
        """Know who was told before.

        Args:
            notices: who was told of what.
            channels: who is to be told.
            least: of what is less grave nobody is told.
            clock: seconds that only grow.
            first_pause: seconds before the second attempt.
            most_an_hour: how often somebody is told in an hour of what is equally grave.
        """
        self._notices, self._least, self._clock = notices, least, clock
        self._first_pause, self._most = first_pause, most_an_hour
        self.next_turn = math.inf
        """When, by the clock, what is due and could not be told is to be tried again; infinite where nothing is."""
        self.tellings = [Telling(channel, notices.told(channel.recipient), first_pause) for channel in channels]

    def is_needed(self, incident: Incident) -> bool:
        """Whether somebody is still to be told of an incident."""
        return any(self._is_due(telling, incident) for telling in self.tellings)

    def turn(self, incidents: Iterable[Incident]) -> None:
        """Tell whoever can be told of what is due.

        Raises:
            psycopg.Error: it cannot be noted.
        """
        known = sorted(incidents, key=lambda one: (-GRAVITY[one.level], one.number))
        self.next_turn = math.inf
        for telling in self.tellings:
            due = [one for one in known if self._is_due(telling, one)]
            if telling.again <= self._clock():
                self._tell_all(telling, due)
            if any(self._is_due(telling, one) for one in due):
                self.next_turn = min(self.next_turn, telling.again or self._clock() + FULL)

    @property
    def trouble(self) -> str:
        """Who cannot be told and why; empty where everybody can."""
        return "; ".join(
            f"{telling.channel.recipient.name}: {telling.trouble}" for telling in self.tellings if telling.trouble
        )

    def _is_due(self, telling: Telling, incident: Incident) -> bool:
        return incident.state is not State.CLOSED and is_due(incident, telling.told, self._least)

    def _tell_all(self, telling: Telling, due: Sequence[Incident]) -> None:
        room: dict[Level, int] = {}
        for incident in due:
            level = incident.level
            if level not in room:
                room[level] = self._most - self._notices.within_an_hour(telling.channel.recipient, level)
            room[level] -= 1
            if room[level] >= 0 and not self._tell(telling, incident):
                return

    def _tell(self, telling: Telling, incident: Incident) -> bool:
        """Tell somebody of one incident; return whether more can be told."""
        recipient = telling.channel.recipient
        told: Facts = {"item": str(incident.number), "account": recipient.account, "peer": recipient.host}
        try:
            with self._notices.telling(incident, recipient) as first:
                if first:
                    telling.channel.deliver(incident)
        except NotTakenError as error:
            self._notices.refuse(incident, recipient)
            write_failure(TELL_PEOPLE, error, **told)
        except SimulatorError as error:
            self._wait(telling, error)
            write_failure(TELL_PEOPLE, error, waiting=True, attempts=telling.attempts, **told)
            return False
        else:
            if first:
                write_event(TELL_PEOPLE, attempts=telling.attempts + 1, **told)
        telling.told[incident.number] = incident.level
        telling.pause, telling.again, telling.attempts, telling.trouble = self._first_pause, 0.0, 0, ""
        return True

    def _wait(self, telling: Telling, error: SimulatorError) -> None:
        telling.attempts += 1
        telling.trouble = error.message
        telling.again = self._clock() + telling.pause * random.uniform(0.8, 1.2)  # noqa: S311 - not all at once
        telling.pause = min(2 * telling.pause, LONGEST_PAUSE)
