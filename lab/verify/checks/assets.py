"""What is in the network and on hosts is what the register of assets has; what is not, the site's log is told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lab.assets.tell import tell, telling_host
from lab.verify.assets import answers, certificates, neighbours, ports, scan, software
from lab.verify.assets.finding import event_of
from lab.verify.assets.sabotages import mutations
from lab.verify.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.results.model import Result
    from lab.verify.check import Context


def check_assets(context: Context) -> Iterator[Result]:
    """Listen and ask in every zone, look at what is installed and shown; then tell the log what is not as described.

    Raises:
        EngineError: something could not be looked at, or the log was not told.
    """
    told = []
    for judge in (
        ports.judge_ports,
        neighbours.judge_neighbours,
        answers.judge_answers,
        software.judge_software,
        certificates.judge_certificates,
        scan.judge_services,
    ):
        for result in judge(context):
            event = event_of(result)
            if event is not None:
                told.append(event)
            yield result
    tell(context.lab, telling_host(context.lab.site), told)


CHECK = Check(
    name="assets",
    summary="switch ports, neighbours and addresses of every zone, what is installed on hosts, certificates that "
    "services show, services that a scanner finds: against the register of assets",
    promises=(
        ports.PORTS,
        neighbours.NEIGHBOURS,
        answers.ANSWERS,
        software.SOFTWARE,
        certificates.CERTIFICATES,
        scan.SERVICES,
    ),
    judge=check_assets,
    files=tuple(sorted(Path(answers.__file__).parent.glob("*.py"))),
    mutations=mutations,
)
