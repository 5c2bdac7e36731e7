"""Docker containers, the fabric between them, and a running lab."""
