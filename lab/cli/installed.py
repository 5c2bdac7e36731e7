"""What the verbs about assets share: of which hosts, and who says what is installed on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.errors import UsageError
from lab.settings import load_settings

if TYPE_CHECKING:
    import argparse

    from lab.assets.model import Installed
    from lab.engine.lab import Lab


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what every such verb takes."""
    parser.add_argument("--host", action="append", default=[], metavar="HOST", help="of this host; may be repeated")
    parser.add_argument(
        "--running", action="store_true", help="ask the running hosts what is installed, instead of their images' lists"
    )


def installed_on(lab: Lab, arguments: argparse.Namespace) -> dict[str, Installed]:
    """What is installed on the hosts that are meant, by host.

    Raises:
        UsageError: the site has no host of a name.
        EngineError: a running host was to be asked, and does not answer.
    """
    from lab.assets.model import Installed  # noqa: PLC0415 # likewise
    from lab.assets.packages import FOREIGN, installed, listed  # noqa: PLC0415 # packages of Docker; --help needs none

    for host in arguments.host:
        if host not in lab.site.hosts:
            known = ", ".join(lab.site.hosts)
            raise UsageError(f"The site {lab.site.name} has no host {host!r}.", remedy=f"Its hosts: {known}.")
    if not arguments.running:
        return listed(lab.site, load_settings(), arguments.host)
    meant = [host for host in lab.site.hosts if not arguments.host or host in arguments.host]
    return {host: installed(lab, host) if host in lab.site.managed else Installed(reason=FOREIGN) for host in meant}
