"""How records are kept in PostgreSQL, so that a change, a loss or an addition is found, and how they are read."""
