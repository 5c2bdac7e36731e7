"""Tests of :mod:`simulators.siem.forward`."""
