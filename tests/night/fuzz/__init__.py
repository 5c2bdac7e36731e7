"""Hostile words on the command line, and damaged files in the state folder: no verb ends in a traceback."""
