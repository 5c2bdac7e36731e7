"""The drills: each module that has some as ``DRILLS`` is found by being there."""
