"""Asks the sign-on of this host as strangers' browsers do, reads what it was started with, and prints JSON.

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
from urllib.parse import urlencode

CAS = (Path("/etc/pacslab/partner/ca.crt"), Path("/etc/pacslab/tls/ca.crt"))
"""A partner's own, or the site's."""
TIMEOUT = 10.0
SETTINGS = Path("/run/pacslab-sign-on/conf/lmConf-1.json")
SECRET = re.compile("^key$|Secret$|Password$|PrivateKey")
"""Names of settings whose values stay here."""
EVENTS = ["journalctl", "--identifier=pacslab-sign-on", "--since=-1min", "--output=cat", "--no-pager"]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def asked(name: str, path: str, form: dict[str, str] | None = None) -> tuple[int, list[tuple[str, str]], str]:
    """Ask for a page, or send a form: the status, the head and the text of the answer."""
    tls = ssl.create_default_context(cafile=next(path for path in CAS if path.exists()))
    connection = http.client.HTTPSConnection(name, timeout=TIMEOUT, context=tls)
    try:
        if form is None:
            connection.request("GET", path)
        else:
            connection.request("POST", path, urlencode(form), FORM)
        answer = connection.getresponse()
        head = [(key.lower(), value) for key, value in answer.getheaders()]
        return answer.status, head, answer.read().decode("utf-8", "replace")
    finally:
        connection.close()


def recorded(name: str, page: str) -> str:
    """Try to sign in as somebody who does not exist, and return what the log says of it; nothing where it is silent."""
    stranger = f"check-{time.time_ns() % 10**12}"
    token = re.search(r'name="token" value="([^"]+)"', page)
    form = {"user": stranger, "password": "none", "token": token[1] if token else ""}
    asked(name, "/", form)
    ends = time.monotonic() + TIMEOUT
    while time.monotonic() < ends:
        done = subprocess.run([*EVENTS, f"--grep={stranger}"], capture_output=True, text=True, check=False)
        if done.stdout.strip():
            return done.stdout.strip().splitlines()[0]
        time.sleep(0.1)
    return ""


def told(settings: dict[str, object]) -> dict[str, object]:
    """The settings without secrets."""
    found: dict[str, object] = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            found[key] = told(value)
        elif not SECRET.search(key):
            found[key] = value
    return found


def main() -> None:
    """Ask everything once."""
    name, *paths = sys.argv[1:]
    status, head, page = asked(name, "/")
    json.dump(
        {
            "status": status,
            "head": dict(head),
            "cookies": [value for key, value in head if key == "set-cookie"],
            "pages": {path: asked(name, path)[0] for path in paths},
            "recorded": recorded(name, page),
            "settings": told(json.loads(SETTINGS.read_text("utf-8"))),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
