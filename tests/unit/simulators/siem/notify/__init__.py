"""Tests of :mod:`simulators.siem.notify`."""
