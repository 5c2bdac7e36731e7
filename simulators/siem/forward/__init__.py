"""Sends what the repository stores to another collector: ``line`` writes syslog, ``serve`` follows the store."""
