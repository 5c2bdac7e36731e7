"""Proves that every check can fail: what it must catch is done to a clone of a lab, and undone."""
