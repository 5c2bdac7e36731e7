"""Measurements: each is a ratio against a named peer, taken in the same run on the same machine."""
