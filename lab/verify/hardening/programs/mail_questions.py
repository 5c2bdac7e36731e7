"""Asks the mail server of this host, behind its edge, for whom it takes mail, and prints JSON. No mail is sent.

Arguments: the server's loopback port, then addresses to ask for.
"""

from __future__ import annotations

import json
import smtplib
import sys

TIMEOUT = 10.0


def main() -> None:
    """Ask for each address on a connection of its own."""
    port, *addresses = sys.argv[1:]
    found = {}
    for address in addresses:
        with smtplib.SMTP("127.0.0.1", int(port), timeout=TIMEOUT) as server:
            server.ehlo()
            server.mail("check@invalid")
            found[address] = server.rcpt(address)[0]
            server.rset()
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
