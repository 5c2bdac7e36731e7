"""An image archive as its own host sees it: what it holds, asked of Orthanc's REST interface on loopback."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab.errors import EngineError

if TYPE_CHECKING:
    from lab.engine.lab import Lab

ASK = (
    'grep "^user" /etc/orthanc/health.curl | curl --silent --show-error --fail --max-time 30 '
    '--retry 20 --retry-connrefused --retry-delay 1 --retry-max-time 20 --config - "$@"'
)
"""Takes the archive's own credential from where its health probe has it, so that it appears in no argument.

A new revocation list restarts the archive: for as long as that takes, nothing listens.
"""

TAGS = ("SOPClassUID", "AccessionNumber", "PatientID", "PatientName", "StudyInstanceUID", "Modality")
"""What is asked of instances besides what Orthanc keeps in its index of them."""

PIXELS = r"""
import base64, hashlib, json, re, sys, urllib.request
url, study = sys.argv[1:]
user = re.search('^user = "(.*)"', open("/etc/orthanc/health.curl").read(), re.M)[1]
headers = {"Authorization": "Basic " + base64.b64encode(user.encode()).decode()}
def get(path, body=None):
    request = urllib.request.Request(url + path, body, headers)
    return urllib.request.urlopen(request, timeout=30).read()
query = {"Level": "Instance", "Query": {"StudyInstanceUID": study}, "Expand": True, "RequestedTags": ["Rows"]}
digests = {}
for one in json.loads(get("/tools/find", json.dumps(query).encode())):
    if one["RequestedTags"].get("Rows"):
        frames = json.loads(get("/instances/%s/frames" % one["ID"]))
        pixels = b"".join(get("/instances/%s/frames/%s/raw" % (one["ID"], frame)) for frame in frames)
        digests[one["MainDicomTags"]["SOPInstanceUID"]] = hashlib.sha256(pixels).hexdigest()
print(json.dumps(digests))
"""
"""Runs on the archive's host: SHA-256 over the stored pixel data of every instance of a study that has any."""


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
        argv = ["--request", method, f"{self.url}{path}"]
        script, data = ASK, None
        if body is not None:
            argv += ["--data-binary", "@/dev/fd/3"]
            script, data = f"exec 3<&0; {ASK}", json.dumps(body).encode()
        done = self.lab.run(self.host, ["sh", "-c", script, "sh", *argv], input=data)
        if done.code != 0:
            raise EngineError(
                f"The archive on {self.host} did not answer {method} {path}: {done.stderr.strip()}",
                remedy=f"See `pacslab exec {self.host} -- journalctl -u orthanc`.",
            )
        return json.loads(done.stdout) if done.stdout.strip() else None

    def find(self, level: str, **query: str) -> list[dict[str, Any]]:
        """Resources of a level (``Study``, ``Series``, ``Instance``) that match tags, with what is known of them."""
        body: dict[str, object] = {"Level": level, "Query": query, "Expand": True, "CaseSensitive": True}
        if level == "Instance":
            body["RequestedTags"] = list(TAGS)
        found: list[dict[str, Any]] = self.ask("/tools/find", body=body, method="POST")
        return found

    def instances(self, study: str) -> list[dict[str, str]]:
        """The tags of every instance of a study: those of :data:`TAGS`, SOPInstanceUID and what else is indexed."""
        return [
            {**one["MainDicomTags"], **one["RequestedTags"], "ID": one["ID"]}
            for one in self.find("Instance", StudyInstanceUID=study)
        ]

    def pixels(self, study: str) -> dict[str, str]:
        """SHA-256 of the pixel data as stored, by SOPInstanceUID.

        Raises:
            EngineError: the archive does not answer.
        """
        self.ask("/system")  # waits for one that restarts
        done = self.lab.run(self.host, ["python3", "-I", "-c", PIXELS, self.url, study])
        if done.code != 0:
            raise EngineError(
                f"The archive on {self.host} did not hand out pixel data: {done.stderr.strip()[-300:]}",
                remedy=f"See `pacslab exec {self.host} -- journalctl -u orthanc`.",
            )
        digests: dict[str, str] = json.loads(done.stdout)
        return digests

    def remove_studies(self, **query: str) -> None:
        """Remove every study that matches tags."""
        for one in self.find("Study", **query):
            self.ask(f"/studies/{one['ID']}", method="DELETE")
