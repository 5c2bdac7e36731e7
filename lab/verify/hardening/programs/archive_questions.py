"""Asks this host's Orthanc what it answers to whom; prints JSON with an HTTP status for each question."""

from __future__ import annotations

import base64
import http.client
import json
import re
import socket
import sys
from pathlib import Path

PORT = 8042
TIMEOUT = 10


def own_password() -> str:
    """The archive's own ``user:password``, from the file that its health probe uses."""
    text = Path("/etc/orthanc/health.curl").read_text("utf-8")
    found = re.search(r'^user\s*=\s*"(.*)"', text, re.MULTILINE)
    return found[1] if found else ""


def ask(path: str, user: str = "", method: str = "GET", body: str | None = None, host: str = "127.0.0.1") -> str:
    """The status of an answer, or what came instead."""
    headers = {"Authorization": "Basic " + base64.b64encode(user.encode()).decode()} if user else {}
    connection = http.client.HTTPConnection(host, PORT, timeout=TIMEOUT)
    try:
        connection.request(method, path, body, headers)
        return str(connection.getresponse().status)
    except OSError as error:
        return "closed" if isinstance(error, ConnectionRefusedError) else type(error).__name__
    finally:
        connection.close()


def own_address() -> str:
    """The address that others see this host at."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("203.0.113.1", 9))  # documentation range (RFC 5737); a datagram socket sends nothing by this
        return str(probe.getsockname()[0])


if __name__ == "__main__":
    own = own_password()
    json.dump(
        {
            "no-password": ask("/system"),
            "shipped-password": ask("/system", "orthanc:orthanc"),
            "password": ask("/system", own),
            "scripts": ask("/tools/execute-script", own, "POST", "print(1)"),
            "webdav": ask("/webdav/", own, "PROPFIND"),
            "explorer": ask("/app/explorer.html", own),
            "plugins-explorer": ask("/app/plugin-x.html", own),
            "wado-uri": ask("/wado?requestType=WADO&studyUID=1&seriesUID=1&objectUID=1", own),
            "shutdown-get": ask("/tools/shutdown", own),
            "own-address": ask("/system", own, host=own_address()),
        },
        sys.stdout,
    )
