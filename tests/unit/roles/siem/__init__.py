"""The repository's role."""
