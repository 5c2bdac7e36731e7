"""An image archive as its own host sees it: what it holds, asked of Orthanc's REST interface on loopback."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab.errors import EngineError

if TYPE_CHECKING:
    from lab.engine.lab import Lab

ASK = 'grep "^user" /etc/orthanc/health.curl | curl --silent --show-error --fail --max-time 30 --config - "$@"'
"""Takes the archive's own credential from where its health probe has it, so that it appears in no argument."""


class Archive:
    """Orthanc on a host of the lab."""

    def __init__(self, lab: Lab, host: str) -> None:
        """Take the port from the site."""
        self.lab = lab
        self.host = host
        self.url = f"http://127.0.0.1:{lab.site.services(host)['http'].port}"

    def ask(self, path: str, *, body: object = None, method: str = "GET") -> Any:
        """Send a request and return its JSON answer.

        Raises:
            EngineError: the archive refuses or does not answer.
        """
        argv = ["sh", "-c", ASK, "sh", "--request", method]
        data = None
        if body is not None:
            argv += ["--data-binary", "@/dev/fd/3"]
            argv[2] = f"exec 3<&0; {ASK}"
            data = json.dumps(body).encode()
        done = self.lab.run(self.host, [*argv, f"{self.url}{path}"], input=data)
        if done.code != 0:
            raise EngineError(
                f"The archive on {self.host} did not answer {method} {path}: {done.stderr.strip()}",
                remedy=f"See `pacslab exec {self.host} -- journalctl -u orthanc`.",
            )
        return json.loads(done.stdout) if done.stdout.strip() else None

    def find(self, level: str, **query: str) -> list[dict[str, Any]]:
        """Resources of a level (``Study``, ``Series``, ``Instance``) that match tags, with what is known of them."""
        body = {"Level": level, "Query": query, "Expand": True, "CaseSensitive": True}
        found: list[dict[str, Any]] = self.ask("/tools/find", body=body, method="POST")
        return found

    def instances(self, study: str) -> list[dict[str, Any]]:
        """The simplified tags of every instance of a study, by its StudyInstanceUID."""
        return [
            self.ask(f"/instances/{one['ID']}/simplified-tags") for one in self.find("Instance", StudyInstanceUID=study)
        ]

    def remove_studies(self, **query: str) -> None:
        """Remove every study that matches tags."""
        for one in self.find("Study", **query):
            self.ask(f"/studies/{one['ID']}", method="DELETE")
