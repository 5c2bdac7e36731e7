"""Scenario 1: sample radiology practice workflows."""
