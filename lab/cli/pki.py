"""``pacslab pki``: look after a lab's certificates, and issue those of real machines."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.engine.lab import Lab
from lab.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from lab.trust.pki import Held
    from lab.trust.session import Changes

EXAMPLE = """
pacslab pki list
pacslab pki show ct1 dicom-client
pacslab pki revoke ct1 dicom-client --reason keyCompromise
pacslab pki rotate ct1
pacslab pki bundle ct1 --to ~/ct1-certificates
pacslab pki issue --site small-practice --folder ~/pacslab-small-practice
"""
REASONS = (
    "keyCompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "privilegeWithdrawn",
    "unspecified",
)
"""RFC 5280 5.3.1; ``lab.trust.index`` holds the same with what they mean to it, but is slower to import."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what to do, and with which certificate."""
    parser.add_argument("action", choices=("list", "show", "revoke", "rotate", "bundle", "issue"), help="what to do")
    parser.add_argument("host", nargs="?", help="the host that holds the certificate")
    parser.add_argument("name", nargs="?", help="the certificate's name, as 'list' shows it")
    parser.add_argument("--reason", choices=REASONS, default="keyCompromise", help="why it is revoked")
    parser.add_argument(
        "--to", metavar="FOLDER", type=Path, help="where to write a bundle (default: below the lab's own)"
    )
    parser.add_argument("--folder", metavar="DIR", type=Path, help="a site's certificates without a lab, kept in DIR")


def run(arguments: argparse.Namespace) -> int:
    """Do it; a revocation or rotation ends when every host of the running lab knows."""
    if arguments.action == "issue":
        return _issue(arguments)
    if arguments.folder is not None:
        raise UsageError("--folder belongs to 'pki issue'.", remedy="Name a lab with --lab, or use 'pki issue'.")
    if arguments.to is not None and arguments.action != "bundle":
        raise UsageError("--to belongs to 'pki bundle'.", remedy="Leave it out, or use 'pki bundle HOST --to FOLDER'.")
    lab = Lab.open(arguments.lab)
    if arguments.action == "list":
        return _list(lab, arguments)
    if arguments.action == "bundle":
        return _bundle(lab, arguments)
    if arguments.host is None or (arguments.name is None and arguments.action != "rotate"):
        raise UsageError(
            f"'pki {arguments.action}' needs a host and the name of a certificate.",
            remedy="'pacslab pki list' shows both.",
        )
    return {"show": _show, "revoke": _revoke, "rotate": _rotate}[arguments.action](lab, arguments)


def _list(lab: Lab, arguments: argparse.Namespace) -> int:
    from lab.trust.pki import held  # noqa: PLC0415 # --help needs no cryptography

    found = [certificate for certificate in held(lab.site, lab.folder) if arguments.host in {None, certificate.host}]
    if arguments.json:
        print(json.dumps([_as_dict(certificate) for certificate in found]))
        return 0
    rows = [("HOST", "NAME", "PROFILE", "STATE", "EXPIRES", "SERIAL")]
    rows += [
        (
            certificate.host,
            certificate.name,
            certificate.profile,
            certificate.state,
            f"{certificate.expires:%Y-%m-%d}",
            f"{certificate.serial:X}",
        )
        for certificate in found
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _show(lab: Lab, arguments: argparse.Namespace) -> int:
    from lab.trust.describe import describe  # noqa: PLC0415 # --help needs no cryptography

    facts = describe(lab.folder, arguments.host, arguments.name)
    if arguments.json:
        print(json.dumps(facts))
    else:
        for key, value in facts.items():
            print(f"{key + ':':<14} {', '.join(value) if isinstance(value, list) else value}")
    return 0


def _revoke(lab: Lab, arguments: argparse.Namespace) -> int:
    from lab.events import Bus  # noqa: PLC0415
    from lab.operate.certificates import revoke_certificate  # noqa: PLC0415

    changes = revoke_certificate(lab, arguments.host, arguments.name, arguments.reason, Bus())
    if not changes.revoked:
        print(f"{arguments.host}/{arguments.name} was revoked before.", file=sys.stderr)
    return _tell(changes, arguments)


def _rotate(lab: Lab, arguments: argparse.Namespace) -> int:
    from lab.events import Bus  # noqa: PLC0415
    from lab.operate.certificates import rotate_certificates  # noqa: PLC0415

    names = [arguments.name] if arguments.name else []
    return _tell(rotate_certificates(lab, arguments.host, names, Bus()), arguments)


def _bundle(lab: Lab, arguments: argparse.Namespace) -> int:
    from lab.engine.device_spec import bundle_folder  # noqa: PLC0415
    from lab.topology.peers import peers  # noqa: PLC0415
    from lab.trust.bundle import PRIVATE, SHOWN, write_bundle  # noqa: PLC0415 # --help needs no cryptography

    if arguments.host is None or arguments.name is not None:
        raise UsageError(
            "'pki bundle' needs a host, and takes all its certificates.", remedy="Use 'pacslab pki bundle HOST'."
        )
    lab.container(arguments.host)
    own = arguments.to is None
    target = bundle_folder(lab.folder, arguments.host) if own else arguments.to.expanduser()
    files = write_bundle(lab.site, lab.folder, arguments.host, target, SHOWN if own else PRIVATE)
    if arguments.json:
        found = [asdict(peer) for peer in peers(lab.site, arguments.host)]
        print(json.dumps({"host": arguments.host, "folder": str(target), "files": files, "peers": found}))
    else:
        print(f"{target}: {', '.join(files)}")
    return 0


def _issue(arguments: argparse.Namespace) -> int:
    from lab.settings import load_settings  # noqa: PLC0415 # with the next, only for sites without a lab
    from lab.topology.load import load_site, site_path  # noqa: PLC0415
    from lab.trust.issue import issue  # noqa: PLC0415

    if arguments.folder is None or arguments.host is not None:
        raise UsageError(
            "'pki issue' makes the certificates of every host of a site, in a folder that you keep.",
            remedy="Use 'pacslab pki issue --site NAME --folder DIR'.",
        )
    site = load_site(site_path(arguments.site, load_settings().inventories))
    return _tell(issue(site, Path(arguments.folder).expanduser()), arguments)


def _tell(changes: Changes, arguments: argparse.Namespace) -> int:
    if arguments.json:
        print(json.dumps({"issued": changes.issued, "revoked": changes.revoked}))
        return 0
    for word, names in (("issued", changes.issued), ("revoked", changes.revoked)):
        for name in names:
            print(f"{word} {name}")
    return 0


def _as_dict(one: Held) -> dict[str, Any]:
    return {
        "host": one.host,
        "name": one.name,
        "profile": one.profile,
        "state": one.state,
        "expires": one.expires.isoformat(),
        "serial": f"{one.serial:X}",
    }
