"""The console of the repository."""
