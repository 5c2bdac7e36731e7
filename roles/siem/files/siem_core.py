#!/usr/bin/python3 -I
"""Run the part of the repository that stores and signs (simulators/siem/core)."""

import sys

sys.path.insert(0, "/usr/local/lib/pacslab/siem")
from simulators.siem.core.serve import main

sys.exit(main(sys.argv[1:]))
