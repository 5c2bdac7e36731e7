"""Shakes hands with TLS services of this host and prints what each shows of itself (Python's own library only).

Argument: JSON, a list of ``{"address", "port", "name"}``. Output: a list, in their order, of ``{"version", "suite",
"certificate"}`` (hexadecimal DER), or ``{"why"}`` where there was no handshake.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys

TIMEOUT = 5.0
PROTOCOLS = ["http/1.1", "postgresql", "ntske/1"]  # some services take nobody who offers nothing (RFC 7301)


def shown(address: str, port: int, name: str) -> dict[str, str]:
    """What a service shows to a caller who checks nothing and has no certificate."""
    caller = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    caller.check_hostname, caller.verify_mode = False, ssl.CERT_NONE
    caller.set_alpn_protocols(PROTOCOLS)
    try:
        with (
            socket.create_connection((address, port), TIMEOUT) as plain,
            caller.wrap_socket(plain, server_hostname=name) as secure,
        ):
            certificate = secure.getpeercert(binary_form=True) or b""
            suite = (secure.cipher() or ("",))[0]
            return {"version": secure.version() or "", "suite": suite, "certificate": certificate.hex()}
    except OSError as error:
        return {"why": f"{type(error).__name__}: {getattr(error, 'reason', None) or error}"}


if __name__ == "__main__":
    json.dump([shown(**asked) for asked in json.loads(sys.argv[1])], sys.stdout)
