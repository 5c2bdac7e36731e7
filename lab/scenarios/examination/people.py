"""People at a host's command: where they sign in, and what the collector has of what they did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.errors import UsageError
from lab.hospital.signed_in import signs_in
from lab.hospital.viewer import Viewer
from lab.scenarios.examination.course import FOLLOWED_WITHIN
from lab.scenarios.failure import NothingToJudge, StepFailure

if TYPE_CHECKING:
    from lab.hospital.collected import Mark
    from lab.hospital.hospital import Actor
    from lab.scenarios.stage import Stage


def console(stage: Stage[Any], actor: Actor) -> str:
    """The host of a part, at whose command people sign in; it is the host that acts.

    Raises:
        NothingToJudge: nobody signs in there.
    """
    host = stage.hospital.host(actor)
    stage.acts(host)
    if not signs_in(stage.hospital.site, host):
        raise NothingToJudge(f"nobody signs in at {host}")
    return host


def on_record(stage: Stage[Any], host: str, mark: Mark, **keys: Any) -> dict[str, Any]:
    """The event of a host with these keys, which the collector has after a mark.

    Raises:
        StepFailure: it has none.
    """
    collected = stage.hospital.collected
    line = collected.wait(host, mark, timeout=FOLLOWED_WITHIN, **keys)
    if line is None:
        raise StepFailure(f"{collected.centre} has no event of {host} with {keys}")
    data: dict[str, Any] = line["data"]
    return data


def viewer_of(stage: Stage[Any]) -> Viewer:
    """The site's viewer; the workstation at which it is opened is the host that acts.

    Raises:
        NothingToJudge: the site has none.
    """
    try:
        viewer = Viewer.of(stage.lab)
    except UsageError as error:
        raise NothingToJudge(error.message) from error
    stage.acts(viewer.sign_on.caller)
    return viewer
