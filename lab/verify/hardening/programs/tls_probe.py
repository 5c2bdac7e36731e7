"""Shakes hands with TLS edges of this host in every way that must fail and every way that must not; prints JSON.

Argument: JSON list of ``{"address", "port", "name", "certificate"}``: where the edge is, the name it must prove, and a
certificate of the site with its key (PEM) to call with, or null; with ``"protocols"``, what is offered by ALPN. Output:
for each port what each attempt came to.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

CAS = (Path("/etc/pacslab/partner/ca.crt"), Path("/etc/pacslab/tls/ca.crt"))
"""A partner's own, or the site's."""
TIMEOUT = 5.0
BRIEF = 0.05
"""Seconds to wait for session tickets: whoever is let in is sent nothing else before it speaks."""
AES_CBC = "AES128-SHA:AES256-SHA"
ATTEMPTS = {
    # name: (least version, greatest version, cipher list)
    "tls1": (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1, "ALL:@SECLEVEL=0"),
    "tls1.1": (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1, "ALL:@SECLEVEL=0"),
    "null": (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2, "eNULL:@SECLEVEL=0"),
    "anonymous": (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2, "aNULL:@SECLEVEL=0"),
    "rsa-key-exchange": (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2, f"{AES_CBC}:@SECLEVEL=0"),
    "cbc-sha1": (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA"),
    "cbc-sha384": (
        ssl.TLSVersion.TLSv1_2,
        ssl.TLSVersion.TLSv1_2,
        "ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA256",
    ),
    "chacha20": (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-CHACHA20-POLY1305"),
}
GOOD = {"tls1.2": ssl.TLSVersion.TLSv1_2, "tls1.3": ssl.TLSVersion.TLSv1_3}


def context(
    least: ssl.TLSVersion, greatest: ssl.TLSVersion, ciphers: str | None = None, offered: Sequence[str] = ()
) -> ssl.SSLContext:
    """A caller of these versions and suites, who checks nothing."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    made.minimum_version, made.maximum_version = least, greatest
    made.set_alpn_protocols(offered)
    if ciphers:
        made.set_ciphers(ciphers)
    return made


def attempt(
    address: tuple[str, int],
    made: ssl.SSLContext,
    name: str,
    session: ssl.SSLSession | None = None,
    patience: float = TIMEOUT,
) -> tuple[dict[str, object], ssl.SSLSession | None]:
    """What a handshake came to; in TLS 1.3 the server's answer to the certificate comes with the first bytes read."""
    try:
        with (
            socket.create_connection(address, TIMEOUT) as plain,
            made.wrap_socket(plain, server_hostname=name, session=session) as secure,
        ):
            found: dict[str, object] = {"version": secure.version(), "suite": (secure.cipher() or ("",))[0]}
            secure.settimeout(patience)
            with contextlib.suppress(TimeoutError):
                found["closed"] = secure.recv(1) == b""
            found["reused"] = secure.session_reused
            kept = secure.session
            found["ticket"] = bool(kept and kept.has_ticket)
            return {"open": True, **found}, kept
    except ssl.SSLError as error:
        return {"open": False, "why": error.reason or str(error)}, None
    except OSError as error:
        return {"open": False, "why": type(error).__name__}, None


def probe(
    address: str, port: int, name: str, certificate: str | None, protocols: Sequence[str] = ()
) -> dict[str, object]:
    """Every attempt on one edge, by name."""
    where = (address, port)
    found: dict[str, object] = {}
    for key, (least, greatest, ciphers) in ATTEMPTS.items():
        try:
            weak = context(least, greatest, ciphers, protocols)
            if certificate:  # so that nothing but version or suite is a reason to refuse
                weak.load_cert_chain(certificate)
            found[key] = attempt(where, weak, name, patience=BRIEF)[0]
        except (ssl.SSLError, ValueError) as error:  # this machine's own OpenSSL does not know the suite
            found[key] = {"open": False, "why": f"not offered by the caller: {error}"}
    for key, version in GOOD.items():
        found[f"{key}-stranger"] = attempt(where, context(version, version, offered=protocols), name)[0]
        known = context(version, version, offered=protocols)
        known.load_verify_locations(next(path for path in CAS if path.exists()))
        known.check_hostname, known.verify_mode = True, ssl.CERT_REQUIRED
        if certificate:
            known.load_cert_chain(certificate)
        found[key], session = attempt(where, known, name, patience=BRIEF)
        if session is not None:
            found[f"{key}-again"] = attempt(where, known, name, session, BRIEF)[0]
    return found


if __name__ == "__main__":
    warnings.simplefilter("ignore", DeprecationWarning)
    json.dump({edge["port"]: probe(**edge) for edge in json.loads(sys.argv[1])}, sys.stdout)
