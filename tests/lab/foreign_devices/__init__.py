"""Software that no one here wrote, and the site that it takes part in."""
