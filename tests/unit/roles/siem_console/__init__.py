"""The console's role."""
