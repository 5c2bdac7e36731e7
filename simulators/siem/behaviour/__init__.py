"""What each person and each AE title usually does, and what falls out of it: arithmetic of medians and days.

docs/behaviour.md explains it to who is not an engineer. ``measures`` says what is measured, ``baseline`` is the
arithmetic, ``detector`` takes events.
"""
