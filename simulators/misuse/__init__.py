"""Attempts that a hardened lab must refuse, made from a lab host with what that host holds."""
