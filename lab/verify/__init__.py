"""Checks that run against a lab and prove what cannot pass."""
