"""Scenario 1 of SP 1800-24's project description: sample radiology practice workflows, a file for each part."""
