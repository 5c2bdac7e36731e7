#!/usr/bin/python3 -I
"""Send events of the repository on (simulators/siem/forward)."""

import sys

sys.path.insert(0, "/usr/local/lib/pacslab/forwarder")
from simulators.siem.forward.serve import main

sys.exit(main(sys.argv[1:]))
