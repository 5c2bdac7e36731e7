#!/usr/bin/python3 -I
"""Search and prove what the repository has stored (simulators/siem/cli.py)."""

import sys

sys.path.insert(0, "/usr/local/lib/pacslab/siem")
from simulators.siem.cli import main

sys.exit(main(sys.argv[1:]))
