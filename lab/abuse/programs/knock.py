"""Runs on a host: opens a TCP connection, and says what came of it and who the other side claims to be.

Arguments: address, port, seconds for an answer. Output: ``timeout``, ``refused``, or ``connected`` with a name.
"""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys


def knock(address: str, port: str, seconds: str) -> str:
    """Try once."""
    try:
        connection = socket.create_connection((address, int(port)), timeout=float(seconds))
    except TimeoutError:
        return "timeout"
    except OSError as error:
        return f"refused: {error.strerror}"
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname = False
    anybody.verify_mode = ssl.CERT_NONE
    try:
        with anybody.wrap_socket(connection) as tls:
            shown = ssl.DER_cert_to_PEM_cert(tls.getpeercert(binary_form=True) or b"")
    except OSError as error:
        return f"connected, and then {error}"
    done = subprocess.run(
        ["openssl", "x509", "-noout", "-subject"], input=shown, capture_output=True, text=True, check=False
    )
    return f"connected to {done.stdout.strip() or 'a TLS server'}"


if __name__ == "__main__":
    sys.stdout.write(knock(*sys.argv[1:]))
