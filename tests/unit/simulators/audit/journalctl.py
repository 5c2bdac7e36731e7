#!/usr/bin/env python3
"""In place of journalctl(1) in the tests: a file of entries, from a cursor on, and what is appended to it later."""

import json
import os
import sys
import time


def main() -> None:
    """Print the entries after the cursor, and follow."""
    place = next((word.partition("=")[2] for word in sys.argv if word.startswith("--after-cursor=")), "")
    found = not place
    with open(os.environ["JOURNAL"], encoding="utf-8") as file:  # noqa: PTH123 - followed line by line
        line = ""
        while True:
            line += file.readline()
            if not line.endswith("\n"):
                time.sleep(0.01)
                continue
            if found:
                print(line, end="", flush=True)  # noqa: T201
            found = found or json.loads(line)["__CURSOR"] == place
            line = ""


if __name__ == "__main__":
    main()
