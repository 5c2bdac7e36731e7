"""Try one role: one container with what it needs, checked, converged, converged again, and verified."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import yaml

from lab.ansible.play import Play, TaskResult
from lab.atomic_write import atomic_write
from lab.engine import names
from lab.engine.fabric import wire
from lab.engine.hosts import ensure, in_parallel, pids, wait_for_systemd
from lab.engine.lab import Lab
from lab.engine.record import LabRecord
from lab.engine.requirements import require
from lab.errors import AnsibleError, EngineError, PacslabError, UnhealthyError
from lab.images import ensure_images
from lab.operate.configure import overlay
from lab.operate.plan import compare
from lab.operate.take_down import take_down
from lab.operate.wait import wait_until_healthy
from lab.results.model import Outcome, judged
from lab.settings import ROOT
from lab.topology.load import load_site
from lab.trials.description import describe
from lab.trials.judgement import CONVERGES, HARDENED, HEALTHY, foreknowing, judge
from lab.trust import ensure_pki
from lab.trust.variables import trust_variables
from lab.verify.check import Context
from lab.verify.registry import checks
from lab.verify.run import run_checks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from lab.events import Bus
    from lab.results.model import Result
    from lab.settings import Settings
    from lab.topology.site import Site
    from lab.trials.description import Description, Subject

PLAYBOOK = ROOT / "playbooks" / "role.yml"
SYSTEMD_SECONDS = 90
HEALTHY_SECONDS = 120
HARDENING = "hardening"
"""The check that judges one host's hardening."""
SETTLE = [
    "sh",
    "-c",
    "timeout 15 sh -c 'while systemctl list-jobs --no-legend | grep -q .; do sleep 0.2; done' || true",
]
"""Waits until systemd has no job left; a unit that never ends starting does not hold the trial up."""


@dataclass(frozen=True)
class Trial:
    """One trial of a role, in a lab of its own, which is removed at the end unless ``keep`` says otherwise."""

    subject: Subject
    name: str
    settings: Settings
    bus: Bus
    keep: bool = False

    def run(self) -> list[Result]:
        """Do it all.

        Raises:
            EngineError: Docker or the fabric refused; nothing was judged.
            MachineNotReadyError: the machine lacks something.
        """
        refused = foreknowing(self.settings.roles / self.subject.role, self.subject.host)
        if refused is not None:
            return [refused]
        with self._lab() as (lab, description):
            began = time.time()
            results = list(judge(description.subject, self._play(lab, description)))
            if all(result.good for result in results):
                results.append(self._health(lab, began))
                results += self._hardening(lab, description.subject)
            return results

    @contextmanager
    def _lab(self) -> Iterator[tuple[Lab, Description]]:
        """A lab with the hosts that the role needs, their systemd running and nothing configured."""
        folder = self.settings.lab_folder(self.name)
        description = describe(self.subject)
        topology = folder / "site" / "topology.yml"
        lab = Lab(LabRecord(self.name, "", str(topology), {}), folder)
        take_down(self.settings, lab.docker, self.name)
        topology.parent.mkdir(parents=True, mode=0o700)
        atomic_write(topology, yaml.safe_dump(description.content, sort_keys=False))
        site = load_site(topology)
        started = only(site, description.started)
        lab.record = LabRecord.describe(self.name, started)
        try:
            self._start(lab, started)
            yield lab, description
        finally:
            if not self.keep:
                take_down(self.settings, lab.docker, self.name)

    def _start(self, lab: Lab, started: Site) -> None:
        docker = lab.docker
        cgroups = require(docker)
        made = ensure_images(started, self.bus)
        lab.record.save(lab.folder)
        ensure_pki(lab.site, lab.folder)
        images = {host: made[tuple(entry.roles)] for host, entry in started.hosts.items()}
        images[names.FABRIC] = made[min(made, key=len)]
        specs = compare(lab.name, started, images, {}, cgroups, folder=lab.folder).specs
        in_parallel(lambda host: ensure(docker, specs[host], None), specs)
        running = pids(docker, lab.name, started.hosts)
        problems = wire(docker, lab.name, started, running, apply=True).problems
        late = wait_for_systemd(docker, lab.name, running, SYSTEMD_SECONDS)
        if problems or late or len(running) < len(started.hosts):
            what = (
                "; ".join([*problems, *(f"{host}: systemd did not start" for host in late)]) or "a host ended at once"
            )
            raise EngineError(f"The trial's lab {lab.name} did not start: {what}.", remedy="Run 'pacslab check'.")

    def _play(self, lab: Lab, description: Description) -> list[TaskResult]:
        """Run the trial's plays; a task that fails is among the results."""
        site = only(lab.site, description.started)
        heard: list[TaskResult] = []
        hosts = overlay(lab, site)
        for host, roles in description.started.items():
            before = self.subject.before if host == description.subject else roles
            hosts["all"]["hosts"][host]["trial_before"] = list(before)
        given = {
            **trust_variables(lab.site, lab.folder),
            "trial_host": description.subject,
            "trial_role": self.subject.role,
            "trial_roles_dir": str(self.settings.roles),
            "trial_settle": SETTLE,
        }
        folder = lab.folder / "ansible"
        play = Play(
            playbook=PLAYBOOK,
            inventories=[lab.site.path, _written(folder / "overlay.json", hosts)],
            folder=folder,
            variables=[_written(folder / "variables.json", given)],
            limit=list(description.started),
            heard=heard.append,
        )
        try:
            play.run(self.bus)
        except AnsibleError:
            if not any(result.status in ("failed", "unreachable") for result in heard):
                raise  # it refused the playbook itself
        return heard

    def _health(self, lab: Lab, since: float) -> Result:
        host = self.subject.host
        began = time.monotonic()
        try:
            health = wait_until_healthy(lab, self.bus, HEALTHY_SECONDS, {host: since})
        except UnhealthyError as error:
            return judged(
                HEALTHY, host, Outcome.FAILED, expected="every service healthy", observed=error.message,
                remedy=error.remedy,
            )  # fmt: skip
        services = health[host].services
        if not services:
            return judged(HEALTHY, host, Outcome.NOT_APPLICABLE, reason="the host has no service")
        named = ", ".join(service.name for service in services)
        return judged(HEALTHY, host, Outcome.PASSED, observed=f"healthy: {named}").timed(time.monotonic() - began)

    def _hardening(self, lab: Lab, host: str) -> list[Result]:
        check = checks().get(HARDENING)
        if check is None:
            return [judged(HARDENED, host, Outcome.NOT_APPLICABLE, reason=f"there is no check {HARDENING!r}")]
        context = Context(lab, lambda _: None, frozenset({host}))
        absent = set(lab.site.hosts) - set(lab.record.hosts)
        # what a collector has of each sender, say: of a host that is not started nothing can be expected
        found = [result for result in run_checks([check], context) if result.subject not in absent]
        bad = [str(result) for result in found if not result.good]
        good = not bad and any(result.outcome is Outcome.PASSED for result in found)
        outcome = Outcome.PASSED if good else Outcome.FAILED
        skipped = [result.reason for result in found if result.outcome is Outcome.SKIPPED]
        none_bad = "; ".join([f"{len(found)} results, none bad", *dict.fromkeys(f"skipped: {why}" for why in skipped)])
        observed = "; ".join(bad) or none_bad
        return [judged(HARDENED, host, outcome, expected="no finding", observed=observed)]


def _written(path: Path, content: dict[str, Any]) -> Path:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    atomic_write(path, json.dumps(content, indent=1), mode=0o600)
    return path


def only(site: Site, roles: Mapping[str, Sequence[str]]) -> Site:
    """The same site with these hosts alone, and with these roles of theirs."""
    hosts = {name: site.hosts[name].model_copy(update={"roles": list(kept)}) for name, kept in roles.items()}
    return replace(site, topology=site.topology.model_copy(update={"hosts": hosts}))


def try_role(trial: Trial) -> tuple[list[Result], float]:
    """Run a trial; one that could not be run is an error of the role's own, and does not keep others from theirs."""
    began = time.monotonic()
    try:
        results = trial.run()
    except PacslabError as error:
        reason = f"{error.message} {error.remedy}"
        results = [judged(CONVERGES, trial.subject.host, Outcome.ERROR, reason=reason)]
    return [replace(result, subject=trial.subject.role) for result in results], time.monotonic() - began


def passed(results: Sequence[Result]) -> bool:
    """Whether a role may be called good: nothing failed, nothing could not be judged, nothing was skipped."""
    return bool(results) and all(result.outcome in {Outcome.PASSED, Outcome.NOT_APPLICABLE} for result in results)
