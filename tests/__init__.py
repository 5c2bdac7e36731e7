"""Tests: unit, on a running lab, and of its hardening."""
