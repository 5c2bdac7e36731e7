"""People at a console: who is signed in at a host's command, and what the site's policy lets the person do."""
