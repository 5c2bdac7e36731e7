#!/usr/bin/python3 -I
"""Run the part of the repository that hands over the collector's lines (simulators/siem/lines)."""

import sys

sys.path.insert(0, "/usr/local/lib/pacslab/siem")
from simulators.siem.lines.serve import main

sys.exit(main(sys.argv[1:]))
