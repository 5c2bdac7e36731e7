"""Ask the image archive of the host this runs on through its REST interface; sent there as text.

Arguments: credentials file, URL of the archive, then one of

- ``request METHOD PATH [BODY]``: prints what the archive answers;
- ``pixels STUDY...``: prints a JSON object with SHA-256 of the stored pixel data of every instance of these studies
  that has any, by SOP Instance UID.

The credentials are those of the archive's health probe, in its file of options for curl, so that they stand in no
argument. A new revocation list restarts the archive: for as long as that takes nothing listens, and it is asked again.
Exit code 1 with the reason on standard error where it refuses or does not answer.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

TIMEOUT = 30
"""Seconds for one answer."""
RESTARTS_WITHIN = 20
"""Seconds for which nothing may listen."""
PAUSE = 0.5


class RestInterface:
    """The REST interface of an archive, and how to identify oneself to it."""

    def __init__(self, credentials: Path, url: str) -> None:
        """Read the credentials: a line ``user = "name:password"``."""
        found = re.search(r'^user\s*=\s*"(.*)"', credentials.read_text("utf-8"), re.MULTILINE)
        if found is None:
            raise ValueError(f"{credentials} names no user")
        self.url = url
        self.headers = {"Authorization": "Basic " + base64.b64encode(found[1].encode()).decode()}

    def ask(self, path: str, body: str | None = None, method: str = "GET") -> bytes:
        """Send a request; while nothing listens, wait for the archive to come back."""
        data = None if body is None else body.encode()
        request = urllib.request.Request(self.url + path, data, self.headers, method=method)  # noqa: S310 # loopback
        end = time.monotonic() + RESTARTS_WITHIN
        while True:
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310 # likewise
                    content: bytes = answer.read()
                    return content
            except urllib.error.URLError as error:
                if not isinstance(error.reason, ConnectionRefusedError) or time.monotonic() > end:
                    raise
            time.sleep(PAUSE)

    def pixels(self, study: str) -> dict[str, str]:
        """SHA-256 of the stored pixel data of a study's instances, by SOP Instance UID."""
        query = {
            "Level": "Instance",
            "Query": {"StudyInstanceUID": study},
            "Expand": True,
            "RequestedTags": ["Rows"],
        }
        found = {}
        for instance in json.loads(self.ask("/tools/find", json.dumps(query), "POST")):
            if instance["RequestedTags"].get("Rows"):
                folder = f"/instances/{instance['ID']}/frames"
                digest = hashlib.sha256()
                for frame in json.loads(self.ask(folder)):
                    digest.update(self.ask(f"{folder}/{frame}/raw"))
                found[instance["MainDicomTags"]["SOPInstanceUID"]] = digest.hexdigest()
        return found


def main(words: list[str]) -> int:
    """Do what the arguments say; the result is the exit code."""
    credentials, url, verb, *rest = words
    try:
        archive = RestInterface(Path(credentials), url)
        if verb == "pixels":
            found = {uid: digest for study in rest for uid, digest in archive.pixels(study).items()}
            sys.stdout.write(json.dumps(found))
        else:
            method, path, *body = rest
            sys.stdout.buffer.write(archive.ask(path, body[0] if body else None, method))
    except urllib.error.HTTPError as error:
        sys.stderr.write(f"{error.code} {error.reason}: {error.read(300).decode('utf-8', 'replace')}\n")
        return 1
    except (OSError, ValueError, KeyError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
