"""Hardening checks: how they are declared, found, run with pytest, and proven able to fail."""
