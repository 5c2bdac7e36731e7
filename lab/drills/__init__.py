"""Drills: faults that are made on purpose, what has to be noticed, and what must be there afterwards, counted."""
