"""Audit and monitoring: a normal day of which everything is on record, and abuses that their rules notice."""
