"""Asks the console of this host as strangers' browsers do, looks at what stands behind it, and prints JSON.

Arguments: the host's domain name, then paths to ask for. No secret of the settings is printed.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
import stat
import subprocess
import sys
import time
from pathlib import Path

CA = "/etc/pacslab/tls/ca.crt"
TIMEOUT = 10.0
SETTINGS = Path("/etc/apache2/apache2.conf")
SOCKET = Path("/run/pacslab-console.sock")
SECRET = re.compile("Secret|Passphrase")
"""Words of settings whose values stay here."""
EVENTS = ["journalctl", "--identifier=pacslab-console", "--since=-1min", "--output=cat", "--no-pager"]
FORGED = {
    "X-Pacslab-Person": "l.tanaka",
    "X-Pacslab-Roles": "privacy-officer",
    "X-Pacslab-Session": "0",
    "OIDC_preferred_username": "l.tanaka",
    "OIDC_groups": "privacy-officer",
    "X-Remote-User": "l.tanaka",
}
"""What a web server in front would say of a person who is signed in."""
RIGHTS = """
SELECT 'table ' || t.relname || ' ' || right_to FROM pg_class AS t,
  unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS right_to
  WHERE t.relnamespace = 'siem'::regnamespace AND t.relkind IN ('r', 'p')
  AND has_table_privilege('siem-console', t.oid, right_to)
UNION SELECT 'column ' || t.relname || '.raw' FROM pg_class AS t JOIN pg_attribute AS a ON a.attrelid = t.oid
  WHERE t.relnamespace = 'siem'::regnamespace AND t.relkind IN ('r', 'p') AND a.attname = 'raw'
  AND has_column_privilege('siem-console', t.oid, a.attnum, 'SELECT')
UNION SELECT 'function ' || f.proname FROM pg_proc AS f WHERE f.pronamespace = 'siem'::regnamespace
  AND has_function_privilege('siem-console', f.oid, 'EXECUTE') ORDER BY 1
"""
"""What the console's account may do beside reading: tables that it may change, messages as they came, functions."""
PSQL = ["runuser", "-u", "postgres", "--", "psql", "-X", "-A", "-t", "-d", "siem", "-c", RIGHTS]


def asked(name: str, path: str, head: dict[str, str] | None = None, method: str = "GET") -> tuple[int, dict[str, str]]:
    """Ask for a page: the status and the head of the answer; what stands there twice has both values."""
    tls = ssl.create_default_context(cafile=CA)
    connection = http.client.HTTPSConnection(name, timeout=TIMEOUT, context=tls)
    try:
        connection.request(method, path, headers=head or {})
        answer = connection.getresponse()
        answer.read()
        found: dict[str, str] = {}
        for key, value in answer.getheaders():
            found[key.lower()] = f"{found[key.lower()]}\n{value}" if key.lower() in found else value
        return answer.status, found
    finally:
        connection.close()


def recorded(name: str) -> str:
    """Ask for a page without a session, and return what the log says of it; nothing where it is silent."""
    path = f"/live/{time.time_ns()}"
    asked(name, path)
    ends = time.monotonic() + TIMEOUT
    while time.monotonic() < ends:
        done = subprocess.run([*EVENTS, f"--grep={path}"], capture_output=True, text=True, check=False)
        if done.stdout.strip():
            return done.stdout.strip().splitlines()[0]
        time.sleep(0.1)
    return ""


def socket_of() -> str:
    """Who may open the socket behind the web server."""
    found = SOCKET.stat()
    return f"{found.st_uid} {os_group(found.st_gid)} {stat.filemode(found.st_mode)}"


def os_group(number: int) -> str:
    """The name of a group."""
    done = subprocess.run(["getent", "group", str(number)], capture_output=True, text=True, check=False)
    return done.stdout.partition(":")[0]


def network_of() -> list[str]:
    """The network interfaces that the service behind has."""
    done = subprocess.run(
        ["systemctl", "show", "--property=MainPID", "--value", "pacslab-console.service"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    path = Path(f"/proc/{int(done.stdout or 0)}/net/dev")
    if not path.exists():
        return ["no process"]
    return sorted(line.partition(":")[0].strip() for line in path.read_text().splitlines()[2:])


def settings() -> list[str]:
    """The lines of the settings, without secrets."""
    lines = (line.strip() for line in SETTINGS.read_text("utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#") and not SECRET.search(line)]


def main() -> None:
    """Ask everything once."""
    name, *paths = sys.argv[1:]
    rights = subprocess.run(PSQL, capture_output=True, text=True, check=False, cwd="/")
    json.dump(
        {
            "heads": {path: asked(name, path)[1] for path in paths},
            "strangers": {path: asked(name, path)[0] for path in paths},
            "forged": {path: asked(name, path, FORGED)[0] for path in paths},
            "posted": asked(name, "/incidents/1", FORGED, "POST")[0],
            "other_name": asked(name, "/", {"Host": "other.example"})[0],
            "sent": asked(name, "/")[1].get("location", ""),
            "recorded": recorded(name),
            "socket": socket_of(),
            "network": network_of(),
            "rights": rights.stdout.split("\n")[:-1] if rights.returncode == 0 else [rights.stderr],
            "settings": settings(),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
