"""Tests of role file_integrity."""
