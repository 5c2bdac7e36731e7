"""What scenarios of imaging have in common: one examination on its way, and the steps that every one takes."""
