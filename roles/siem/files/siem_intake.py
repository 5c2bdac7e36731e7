#!/usr/bin/python3 -I
"""Run the part of the repository that reads messages (simulators/siem/intake)."""

import sys

sys.path.insert(0, "/usr/local/lib/pacslab/siem")
from simulators.siem.intake.serve import main

sys.exit(main(sys.argv[1:]))
