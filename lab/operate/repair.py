"""Repair what runs otherwise than described: hosts ask their services now, and units of unhealthy services restart.

A rule put in by hand, or a service that was stopped, changes no file: only the host itself can tell.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lab.deadline import Deadline
from lab.engine.hosts import in_parallel
from lab.events import Note

if TYPE_CHECKING:
    from collections.abc import Collection

    from lab.engine.health import HostHealth
    from lab.engine.lab import Lab
    from lab.events import Bus

AGENT = "pacslab-health.service"
ANSWER_SECONDS = 8.0
"""How long a host may take to ask its services: longer than a probe may hang (5 s)."""
PAUSE = 0.1
ASK = f"systemctl kill --kill-whom=main --signal=SIGUSR1 {AGENT} 2>&1 || systemctl restart --no-block {AGENT}"
RESTART = """
failed=0
for unit; do
    # what is on its way already is not held up
    [ "$(systemctl is-active "$unit")" = activating ] && continue
    # one that failed too often takes no order before it is forgotten
    systemctl --quiet reset-failed "$unit"
    systemctl restart --no-block "$unit" || failed=1
done
exit $failed
"""


def ask(lab: Lab, hosts: Collection[str]) -> float:
    """Let hosts ask their services at once; the answer is the time (seconds since 1970) from which reports count."""
    moment = time.time()
    in_parallel(lambda host: lab.run(host, ["sh", "-c", ASK]), hosts)
    return moment


def health_now(lab: Lab, hosts: Collection[str]) -> tuple[dict[str, HostHealth], float]:
    """The lab's health with these hosts newly asked, and since when their reports count; some may not have answered."""
    since = ask(lab, hosts)
    deadline = Deadline(ANSWER_SECONDS)
    while True:
        health = lab.health()
        late = [host for host in hosts if health[host].state == "running" and health[host].at < since]
        if not late or deadline.over:
            return health, since
        deadline.pause(PAUSE)


def units_to_restart(lab: Lab, host: str, health: HostHealth, since: float) -> list[str]:
    """The units to restart on a host; its health agent alone where that has not answered since then."""
    if health.at < since:
        return [AGENT]
    services = lab.site.services(host)
    return list(dict.fromkeys(services[service.name].unit for service in health.services if not service.healthy))


def repair(lab: Lab, bus: Bus, hosts: Collection[str]) -> dict[str, float]:
    """Restart the units of unhealthy services of hosts that run and are configured.

    The answer is, for each host, from when on its reports count. Whether it helped, health will tell.
    """
    if not hosts:
        return {}
    health, asked = health_now(lab, hosts)
    restarts = {host: units for host in hosts if (units := units_to_restart(lab, host, health[host], asked))}

    def restart(host: str) -> None:
        _, why = health[host].first_failure()
        bus.emit(Note(f"{host}: restarting {', '.join(restarts[host])}: {why or 'no answer'}"))
        done = lab.run(host, ["sh", "-c", RESTART, "sh", *restarts[host]])
        if done.code:
            bus.emit(Note(f"{host}: {done.stderr.strip()}"))

    in_parallel(restart, restarts)
    return dict.fromkeys(hosts, asked) | dict.fromkeys(restarts, time.time())
