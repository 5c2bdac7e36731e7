"""Programs that run on a clone's hosts while a control is switched off; sent there as text, so each stands alone."""
