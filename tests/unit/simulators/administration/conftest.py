"""The sign-on and the folder of sessions that the commands of people are tried with."""

from tests.unit.simulators.person.conftest import desk, sessions

__all__ = ["desk", "sessions"]
