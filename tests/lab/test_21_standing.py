"""A session goes by what the directory says now: within a minute, whoever may no longer is refused."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from lab.deadline import wait_until
from lab.hospital.collected import Collected
from lab.hospital.directory import Directory
from lab.hospital.viewer import Viewer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.engine.lab import Lab

WITHIN = 60.0
"""Seconds after a change at the directory in which the viewer goes by it."""
SESSION = "/gateway/session"

pytestmark = pytest.mark.night  # the directory is asked once in 45 s


@dataclass(frozen=True)
class Open:
    """Somebody who has the viewer open."""

    viewer: Viewer
    directory: Directory
    person: str
    session: str
    sign_on: str
    mark: dict[str, int]

    def change(self, *words: str) -> None:
        """Change something at the directory, as its administrator."""
        done = self.viewer.lab.run(self.directory.host, ["samba-tool", *words])
        assert done.code == 0, done

    def status(self) -> int:
        """What the viewer answers in the session."""
        return self.viewer.ask(self.session, SESSION)[0].status

    def roles(self) -> set[str]:
        """As which the viewer has the person."""
        return set(self.viewer.ask(self.session, SESSION)[0].json["roles"])

    def comes_to(self, status: int) -> float:
        """Seconds until the viewer answers so, while somebody works there."""
        begun = time.monotonic()
        assert wait_until(lambda: self.status() == status, WITHIN, 2.0), f"still {self.status()} after {WITHIN} s"
        return time.monotonic() - begun

    def told(self, **keys: Any) -> dict[str, Any] | None:
        """The event of the sign-on with these keys at the collector."""
        collected, host = Collected(self.viewer.lab), self.viewer.sign_on.host
        line = collected.wait(host, self.mark, timeout=20, action="confirm-session", person=self.person, **keys)
        return line["data"] if line else None

    def is_signed_out_everywhere(self) -> bool:
        """Whether the session at the sign-on has ended too."""
        return not self.viewer.sign_on.return_with(self.sign_on).signed_in


@pytest.fixture
def opened(clone: Lab, request: pytest.FixtureRequest) -> Open:
    """The person whom a test names, with the viewer open."""
    viewer, person = Viewer.of(clone), request.param
    mark = Collected(clone).mark(viewer.sign_on.host)
    came = viewer.open(person, SESSION)
    assert came.answers[0].status == 200, came
    pairs = [cookie.partition(";")[0].partition("=") for cookie in came.cookies]
    (sign_on,) = {f"{name}={value}" for name, _, value in pairs if name == "__Host-sign-on" and len(value) > 1}
    return Open(viewer, Directory.of(clone), person, came.session, sign_on, mark)


@pytest.fixture
def restored(opened: Open) -> Iterator[Open]:
    """The same; what a test closes or takes away is given back."""
    yield opened
    opened.change("user", "enable", opened.person)
    opened.change("user", "unlock", opened.person)
    role = opened.viewer.lab.site.topology.people[opened.person].roles[0]
    opened.viewer.lab.run(opened.directory.host, ["samba-tool", "group", "addmembers", role, opened.person])


@pytest.mark.parametrize("opened", ["t.berg"], indirect=True)
def test_whose_account_is_disabled_is_signed_out(restored: Open) -> None:
    assert not restored.is_signed_out_everywhere()
    restored.change("user", "disable", restored.person)
    restored.comes_to(401)
    assert restored.told(outcome="refused", reason="account-disabled") is not None
    assert restored.is_signed_out_everywhere()


@pytest.mark.parametrize("opened", ["n.okafor"], indirect=True)
def test_whose_account_is_locked_is_signed_out(restored: Open) -> None:
    for guess in range(5):
        restored.directory.sign_in(restored.person, f"a guess, number {guess}")
    restored.comes_to(401)
    assert restored.told(outcome="refused", reason="account-locked") is not None


@pytest.mark.parametrize("opened", ["m.haddad"], indirect=True)
def test_a_role_counts_as_long_as_the_directory_has_it(restored: Open) -> None:
    (role,) = restored.viewer.lab.site.topology.people[restored.person].roles
    restored.change("group", "removemembers", role, restored.person)
    restored.comes_to(403)
    restored.change("group", "addmembers", role, restored.person)
    restored.comes_to(200)
    restored.change("group", "addmembers", "registrar", restored.person)
    try:
        assert wait_until(lambda: restored.roles() == {role, "registrar"}, WITHIN, 2.0)
    finally:
        restored.change("group", "removemembers", "registrar", restored.person)


@pytest.mark.parametrize("opened", ["d.weiss"], indirect=True)
def test_while_the_directory_is_away_whoever_is_signed_in_goes_on(opened: Open) -> None:
    lab, host = opened.viewer.lab, opened.directory.host
    assert lab.run(host, ["systemctl", "stop", "samba-ad-dc"]).code == 0
    try:
        assert wait_until(
            lambda: opened.status() != 200 or opened.told(outcome="failed", reason="unreachable"), WITHIN, 1
        )
        assert opened.status() == 200
    finally:
        assert lab.run(host, ["systemctl", "start", "samba-ad-dc"], timeout=120).code == 0
