"""Scenarios: ordered steps that act on lab hosts and check what happened at the receiving side."""
