"""Audit messages (PS3.15 A.5) of a host: made of what its programs write, kept until the repository has them, sent.

``codes`` has the standard's codes, ``table`` which event becomes which message, ``message`` makes it, ``spool`` keeps
it, ``send`` brings it to the repository, and ``serve`` is the daemon that does all of that. Every host carries this,
also those without a Python environment of ours: nothing here needs more than Python's standard library.
"""
