"""Tests of role mail."""
