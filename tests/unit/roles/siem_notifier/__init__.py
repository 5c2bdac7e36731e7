"""Tests of role siem_notifier."""
