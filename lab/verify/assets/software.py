"""What is installed on running hosts, against the package lists of their images."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from lab.assets.packages import installed, listed
from lab.results.model import Outcome, Promise, judged
from lab.settings import load_settings
from lab.verify.assets.finding import CHANGED, as_described, otherwise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.assets.model import Installed
    from lab.results.model import Result
    from lab.verify.check import Context

SOFTWARE = Promise("assets.software", "What is installed on a host is what the package list of its image has.")
REMEDY = "Run `pacslab up`: it makes a container again that is not of its image; ask who changed what is installed."
AT_ONCE = 4
SHOWN = 5


def judge_software(context: Context) -> Iterator[Result]:
    """Ask every host of ours that is wanted, and compare: one result a host.

    Raises:
        EngineError: a host does not run, or did not answer.
    """
    lab = context.lab
    hosts = [host for host in lab.site.managed if context.wants_host(host)]
    if not context.wants(SOFTWARE) or not hosts:
        return
    expected = listed(lab.site, load_settings(), hosts)
    context.say(f"asking {len(hosts)} hosts what is installed")
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        found = pool.map(lambda host: installed(lab, host), hosts)
        for host, own in zip(hosts, found, strict=True):
            yield judge_host(host, expected[host], own)


def judge_host(host: str, expected: Installed, found: Installed) -> Result:
    """Whether a host has the packages of its image, in their versions."""
    if expected.reason:
        return judged(SOFTWARE, host, Outcome.SKIPPED, subject="packages", reason=f"{expected.reason}.")
    known = {package.purl for package in expected.packages}
    there = {package.purl for package in found.packages}
    told: dict[str, Any] = {
        "subject": "packages",
        "expected": f"the {len(known)} packages of {expected.source}",
        "read": f"{len(there)} packages",
        "source": found.source,
    }
    if known == there:
        return as_described(SOFTWARE, host, **told)
    more, less = sorted(there - known), sorted(known - there)
    said = [f"{word} {', '.join(own[:SHOWN])}" for word, own in (("also", more), ("without", less)) if own]
    return otherwise(
        SOFTWARE,
        host,
        CHANGED,
        observed="; ".join(said),
        remedy=REMEDY,
        **told,
        peer=host,
        part=(more or less)[0],
    )
