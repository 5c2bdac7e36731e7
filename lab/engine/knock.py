"""Runs inside the fabric: connects to services of devices from their own network (Python's own library only).

Standard input: JSON ``{device: [process id, address, {service: port}]}``. Output: ``{device: {service: text}}``, where
the text is why a connection was not taken, and empty where it was.
"""

from __future__ import annotations

import json
import os
import socket
import sys

SECONDS = 1.0


def connect(address: str, port: int) -> str:
    """Connect and hang up; return what kept us from it."""
    try:
        socket.create_connection((address, port), timeout=SECONDS).close()
    except OSError as error:
        return f"port {port} takes no connection: {error.strerror or error}"
    return ""


def main() -> None:
    """Go from device to device."""
    answers: dict[str, dict[str, str]] = {}
    for device, (pid, address, ports) in json.load(sys.stdin).items():
        try:
            handle = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
        except OSError:
            continue  # its container ended
        os.setns(handle, os.CLONE_NEWNET)  # type: ignore[attr-defined] # Python 3.12 on: the fabric's is newer than ours
        os.close(handle)
        answers[device] = {service: connect(address, port) for service, port in ports.items()}
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
