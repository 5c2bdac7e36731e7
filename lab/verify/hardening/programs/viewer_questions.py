"""Asks the viewer of this host as strangers' browsers do, reads how its web server is set up, and prints JSON.

Arguments: the host's domain name, then paths to ask for. No secret of the settings is printed.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
import subprocess
import sys
import time
from pathlib import Path

CA = "/etc/pacslab/tls/ca.crt"
TIMEOUT = 10.0
SETTINGS = Path("/etc/apache2/apache2.conf")
SECRET = re.compile("Secret|Passphrase")
"""Words of settings whose values stay here."""
EVENTS = ["journalctl", "--identifier=pacslab-viewer", "--since=-1min", "--output=cat", "--no-pager"]
WISH_TO_SIGN_IN = {"Cookie": "__Host-sign-in=now"}
FORGED = {
    "X-Pacslab-Person": "a.rivera",
    "X-Pacslab-Roles": "radiologist",
    "X-Pacslab-Department": "Radiology",
    "X-Pacslab-Session": "0",
    "OIDC_preferred_username": "a.rivera",
    "OIDC_groups": "radiologist",
    "X-Remote-User": "a.rivera",
}
"""What a web server in front would say of a person who is signed in."""


def asked(name: str, path: str, head: dict[str, str] | None = None) -> tuple[int, list[tuple[str, str]]]:
    """Ask for a page: the status and the head of the answer."""
    tls = ssl.create_default_context(cafile=CA)
    connection = http.client.HTTPSConnection(name, timeout=TIMEOUT, context=tls)
    try:
        connection.request("GET", path, headers=head or {})
        answer = connection.getresponse()
        answer.read()
        return answer.status, [(key.lower(), value) for key, value in answer.getheaders()]
    finally:
        connection.close()


def recorded(name: str) -> str:
    """Ask for images without a session, and return what the log says of it; nothing where it is silent."""
    path = f"/dicom-web/studies/1.2.{time.time_ns()}"
    asked(name, path)
    ends = time.monotonic() + TIMEOUT
    while time.monotonic() < ends:
        done = subprocess.run([*EVENTS, f"--grep={path}"], capture_output=True, text=True, check=False)
        if done.stdout.strip():
            return done.stdout.strip().splitlines()[0]
        time.sleep(0.1)
    return ""


def settings() -> list[str]:
    """The lines of the settings, without secrets."""
    lines = (line.strip() for line in SETTINGS.read_text("utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#") and not SECRET.search(line)]


def main() -> None:
    """Ask everything once."""
    name, *paths = sys.argv[1:]
    status, sent = asked(name, "/", WISH_TO_SIGN_IN)
    json.dump(
        {
            "heads": {path: dict(asked(name, path)[1]) for path in paths},
            "strangers": {path: asked(name, path)[0] for path in paths},
            "forged": {path: asked(name, path, FORGED)[0] for path in paths},
            "other_name": asked(name, "/", {"Host": "other.example"})[0],
            "sent": [status, dict(sent).get("location", "")],
            "cookies": [value for key, value in sent if key == "set-cookie"],
            "recorded": recorded(name),
            "settings": settings(),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
