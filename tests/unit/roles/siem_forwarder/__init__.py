"""Tests of role siem_forwarder."""
