#!/usr/bin/python3 -I
"""Run the console of the repository (simulators/siem/console)."""

import sys

sys.path.insert(0, "/usr/local/lib/pacslab/console")
from simulators.siem.console.serve import main

sys.exit(main(sys.argv[1:]))
