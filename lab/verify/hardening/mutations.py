"""Sabotages of hardening checks, as changes to a lab: scripts on a host, or a container made otherwise."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from lab.engine.execute import Stream
from lab.errors import EngineError
from lab.verify.hardening.find import applies, check_files, declared_in
from lab.verify.mutation import Mutation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.engine.lab import Lab
    from lab.topology.site import Site
    from lab.verify.hardening.declare import Declared, Sabotage, Target

SECONDS = 120
STARTED = 60
"""Seconds in which a container that was made otherwise has to run systemd."""


class SabotageFailedError(EngineError):
    """A change could not be made, so that nothing can be said of the check."""


def mutations(site: Site) -> Iterator[Mutation]:
    """One for every declared check that has something to judge on the site."""
    for path in check_files():
        for declared in declared_in(path).values():
            target = chosen(applies(path, declared), site)
            if target is not None and declared.sabotage is not None:
                yield _mutation(declared, declared.sabotage, target)


def chosen(declared: Declared, site: Site) -> Target | None:
    """What the sabotage of a check is made on: the first target that fits, or None when there is none."""
    sabotage = declared.sabotage
    if sabotage is None:
        return None
    fits = sabotage.on or (lambda _: True)
    return next((target for target in declared.targets(site, site.managed) if fits(target)), None)


def _mutation(declared: Declared, sabotage: Sabotage, target: Target) -> Mutation:
    noun = declared.promise.id.rpartition(".")[0]
    judged = (f"{noun}.*",) if sabotage.settings is not None else ("hardening.*",)
    make = (
        partial(_remade, sabotage, target.host)
        if sabotage.settings is not None
        else partial(_scripted, sabotage, target)
    )
    return Mutation(
        declared.promise.id, target.host, target.subject, make, tuple(sabotage.also), judged, (target.host,)
    )


def _scripted(sabotage: Sabotage, target: Target, lab: Lab) -> Callable[[], None]:
    apply, undo = sabotage.apply_on(target), sabotage.undo_on(target)

    def take_back() -> None:
        code, said = _run(lab, target.host, undo)
        if code != 0:
            raise SabotageFailedError(
                f"A sabotage on {target.host} could not be undone: {said[-300:]}",
                remedy="Remove the clone, and run it again; correct `undo` beside the check.",
            )

    if sabotage.unpacked is not None:
        lab.docker.unpack(lab.container(target.host), sabotage.unpacked)
    code, said = _run(lab, target.host, apply)
    if code != 0:
        take_back()
        raise SabotageFailedError(
            f"A sabotage could not be made on {target.host} (exit code {code}): {said[-300:]}",
            remedy="Correct `apply` beside the check.",
        )
    return take_back


def _run(lab: Lab, host: str, script: str) -> tuple[int, str]:
    argv = ["timeout", "--kill-after=5", str(SECONDS), "sh", "-c", script]
    stream = Stream(lab.docker, lab.container(host), argv, stdin=False)
    stream.socket.settimeout(SECONDS + 30)
    try:
        said = b"".join(data for _, data in stream.frames()).decode("utf-8", "replace")
    finally:
        stream.close()
    return stream.code(), said.strip()


def _remade(sabotage: Sabotage, host: str, lab: Lab) -> Callable[[], None]:
    """Put a container with other settings into the place of a host's; the host's own runs on under another name."""
    docker, name = lab.docker, lab.container(host)
    kept = f"{name}-kept"
    body = _otherwise(docker.inspect(name), dict(sabotage.settings or {}))
    docker.call("POST", f"/containers/{name}/rename", query={"name": kept})

    def take_back() -> None:
        docker.remove(name)
        docker.call("POST", f"/containers/{kept}/rename", query={"name": name})

    try:
        docker.create(name, body)
        if sabotage.started:
            docker.start(name)
            lab.run(host, ["timeout", str(STARTED), "systemctl", "is-system-running", "--wait"], timeout=STARTED + 5)
    except EngineError:
        take_back()
        raise
    return take_back


def _otherwise(container: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """What the engine is told to make the same container with other settings; lists grow, unless given empty."""
    config, host = container["Config"], dict(container["HostConfig"])
    environment = settings.pop("Env", config["Env"])
    for name, value in settings.items():
        host[name] = [*(host[name] or []), *value] if isinstance(value, list) and value else value
    same = {name: config[name] for name in ("Image", "Hostname", "Cmd", "StopSignal", "Labels")}
    return {**same, "Env": environment, "HostConfig": host}
