"""What a hospital fears: every module here has its deeds as ``DEEDS``, and is found by being there."""
