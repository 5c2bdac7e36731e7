"""The directory of people, asked to sign somebody in as an application would: from a host that a flow lets ask."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.errors import UsageError
from lab.hospital.answers import Answer, read
from lab.hospital.errors import CommandFailedError
from lab.hospital.programs import program

if TYPE_CHECKING:
    from lab.engine.lab import Lab

SERVICE = "ldaps"


class SignIn(Answer):
    """What the directory answers.

    Attributes:
        code: RFC 4511 4.1.9; 0 is success, 49 are invalid credentials.
        said: What it says with it; of invalid credentials ``data 52e`` is a wrong password, ``data 775`` a locked
            account, ``data 533`` a disabled one (MS-ADTS 3.1.1.3.1.1, MS-ERREF 2.2).
    """

    code: int
    said: str


@dataclass(frozen=True)
class Directory:
    """A lab's directory.

    Attributes:
        lab: The lab.
        host: The directory's host.
        caller: The host that asks it: the first that a flow lets ask, else its own.
    """

    lab: Lab
    host: str
    caller: str

    @classmethod
    def of(cls, lab: Lab) -> Directory:
        """The directory of a lab.

        Raises:
            UsageError: the site has none.
        """
        site = lab.site
        host = next((name for name in site.managed if SERVICE in site.services(name)), None)
        if host is None:
            raise UsageError("The site has no directory.", remedy=f"Give a host a role that offers {SERVICE}.")
        callers = [flow.source for flow in site.flows_in(host) if flow.service == SERVICE]
        return cls(lab, host, next(iter(callers), host))

    def sign_in(self, person: str, password: str) -> SignIn:
        """Show a person's password.

        Raises:
            CommandFailedError: the directory is not there, or does not prove its name.
        """
        site = self.lab.site
        where = [str(site.hosts[self.host].address), site.identity(self.host, SERVICE)]
        who = {"name": f"{person}@{site.topology.domain}", "password": password}
        argv = ["python3", "-I", "-c", program("sign_in.py").decode(), *where]
        done = self.lab.run(self.caller, argv, input=json.dumps(who).encode())
        source = f"sign-in of {person} from {self.caller}"
        if done.code != 0:
            raise CommandFailedError(
                f"{source} failed: {done.stderr[-300:]}", remedy=f"See 'pacslab logs {self.host}'."
            )
        return read(SignIn, done.stdout, source)
