"""What the pages ask the database; everything that leaves here is masked for the person who asks."""
