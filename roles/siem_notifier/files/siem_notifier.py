#!/usr/bin/python3 -I
"""Tell people of incidents (simulators/siem/notify)."""

import sys

sys.path.insert(0, "/usr/local/lib/pacslab/notifier")
from simulators.siem.notify.serve import main

sys.exit(main(sys.argv[1:]))
