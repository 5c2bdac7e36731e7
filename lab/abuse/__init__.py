"""Abuse cases: what somebody tries, what stops it, and how that is switched off to show that the attempt is real."""
