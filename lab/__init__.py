"""Drivers of the lab: they read a site's description, build it, run it and check it."""
