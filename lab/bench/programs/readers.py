"""People who read at once, each with what OHIF asks for when a study is opened and scrolled; sent to a host as text.

Standard input: JSON, ``{"base", "images", "readers", "portal", "page", "session", "sites", "user"}``. ``base`` is what
comes before ``/studies``. Each reader has ``{"name", "study", "foreign"}``: the study that the person opens, and one
that is none of the person's. With ``portal`` (the text of ``lab/hospital/programs/portal.py``) they have ``password``
and ``seed`` too, sign in first, at ``page``, and are told who they are at ``session``; without one they are known to
nobody, and ``user`` is ``name:password`` for the archive.

Output: JSON, a list of ``{"name", "signed_in", "signing_in", "first", "seconds", "frames", "wrong"}``: seconds until
the person was signed in, from opening the study to the first image, and for everything after signing in; how many
images were read; and what was otherwise than it has to be, in words.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
import sys
import threading
import time
import types
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

DICOM_JSON = "application/dicom+json"
FRAME = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
OK, REFUSED = 200, 403
PATIENT, STUDY, SERIES, OBJECT = "00100020", "0020000D", "0020000E", "00080018"
PERIOD = 30
TIMEOUT = 60.0
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def code(seed: str, at: float) -> str:
    """A one-time password (RFC 6238)."""
    digest = hmac.digest(base64.b32decode(seed), (int(at) // PERIOD).to_bytes(8, "big"), "sha1")
    start = digest[-1] & 0xF
    return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 10**6:06}"


class Reader:
    """Somebody who opens a study and looks at its images."""

    def __init__(self, told: dict[str, Any], reader: dict[str, Any], portal: Any) -> None:
        """Sit down; nothing was asked yet."""
        self.told, self.who, self.portal = told, reader, portal
        self.opener: Any = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self.opener.addheaders = [("User-Agent", AGENT)]
        self.wrong: list[str] = []
        self.frames, self.first, self.signing_in = 0, 0.0, 0.0
        self.signed_in = portal is None

    def ask(self, path: str, accept: str) -> tuple[int, bytes]:
        """Ask for something below the address of DICOMweb, or at another one."""
        head = {"Accept": accept}
        if self.told.get("user"):
            head["Authorization"] = "Basic " + base64.b64encode(self.told["user"].encode()).decode()
        address = self.told["base"] + path if path.startswith("/") else path
        wish = urllib.request.Request(address, headers=head)  # noqa: S310 # of the lab
        try:
            answer = self.opener.open(wish, timeout=TIMEOUT)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.read()

    def sign_in(self) -> None:
        """Show both factors as with a browser, and go on with its cookies."""
        began = time.monotonic()
        browser = self.portal.Browser(sites=self.told["sites"], holds={"__Host-sign-in": "now"})
        page = browser.open(self.told["page"])
        page = browser.open(page.action, {**page.fields, "user": self.who["name"], "password": self.who["password"]})
        if "code" not in page.fields:
            self.wrong.append(f"was not asked for a code: messages {page.told}, status {page.status}")
            return
        page = browser.open(page.action, {**page.fields, "code": code(self.who["seed"], time.time())})
        self.opener, self.signing_in = browser.opener, time.monotonic() - began
        self.opener.addheaders = [("User-Agent", AGENT)]
        status, said = self.ask(self.told["session"], "application/json")
        named = json.loads(said).get("person") if status == OK else None
        self.signed_in = named == self.who["name"]
        if not self.signed_in:
            shown = f"the last page was {urlsplit(page.address).path} with {page.status}, messages {page.told}"
            self.wrong.append(f"was not let in: {shown}; asked who it is, the viewer answers {status}, {named}")

    def found(self, path: str) -> list[Any]:
        """What is found below a path; every answer has to be of the own study."""
        status, said = self.ask(path, DICOM_JSON)
        if status != OK:
            self.wrong.append(f"{path} answers {status}")
            return []
        entries: list[Any] = json.loads(said)
        for entry in entries:
            if entry[STUDY]["Value"][0] == self.who["foreign"]:
                self.wrong.append(f"{path} tells of {self.who['foreign']}, of somebody else's")
        return entries

    def read(self) -> None:
        """Search, open the own study, look at its images one after the other, and try the other study."""
        own = self.who["study"]
        listed = {entry[STUDY]["Value"][0] for entry in self.found("/studies?includefield=PatientID")}
        if own not in listed:
            self.wrong.append(f"does not find {own}")
        began = time.monotonic()
        self.found(f"/studies?StudyInstanceUID={own}")
        series = [entry[SERIES]["Value"][0] for entry in self.found(f"/studies/{own}/series")]
        objects = [
            (number, entry[OBJECT]["Value"][0])
            for number in series
            for entry in self.found(f"/studies/{own}/series/{number}/metadata")
            if "00280010" in entry
        ]
        for number, one in objects[: self.told["images"]]:
            status, said = self.ask(f"/studies/{own}/series/{number}/instances/{one}/frames/1", FRAME)
            if status != OK or not re.match(rb"\s*--", said):
                self.wrong.append(f"an image answers {status}, {len(said)} octets")
                continue
            self.frames += 1
            self.first = self.first or time.monotonic() - began
        if self.portal is not None:
            status, said = self.ask(f"/studies/{self.who['foreign']}/metadata", DICOM_JSON)
            if status != REFUSED:
                self.wrong.append(f"somebody else's study answers {status}, {len(said)} octets")

    def run(self, result: list[dict[str, Any]]) -> None:
        """Do all of it; what goes wrong is told."""
        began = time.monotonic()
        try:
            if self.portal is not None:
                self.sign_in()
            began = time.monotonic()
            if self.signed_in:
                self.read()
        except Exception as error:  # noqa: BLE001 # told, with who it happened to
            self.wrong.append(f"{type(error).__name__}: {error}")
        result.append(
            {
                "name": self.who["name"],
                "signed_in": self.signed_in,
                "signing_in": self.signing_in,
                "first": self.first,
                "seconds": time.monotonic() - began,
                "frames": self.frames,
                "wrong": self.wrong,
            }
        )


def main() -> None:
    """Have everybody read at once."""
    told = json.load(sys.stdin)
    portal: Any = None
    if told.get("portal"):
        portal = types.ModuleType("portal")
        sys.modules["portal"] = portal
        exec(compile(told["portal"], "portal.py", "exec"), portal.__dict__)  # noqa: S102 # the lab's own program
    result: list[dict[str, Any]] = []
    readers = [Reader(told, reader, portal) for reader in told["readers"]]
    threads = [threading.Thread(target=reader.run, args=(result,)) for reader in readers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    json.dump(sorted(result, key=lambda entry: entry["name"]), sys.stdout)


if __name__ == "__main__":
    main()
