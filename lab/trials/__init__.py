"""Each role on its own: tried on one host with what it needs, and whether that has been done since it changed."""
