"""Programs that run on hosts of a lab that is measured; sent there as text, so standard library only."""
