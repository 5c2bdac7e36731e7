"""A practice without health record and long-term archive."""
