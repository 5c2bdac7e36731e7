"""A normal day, compressed: patients are examined, people work at systems and viewer, and all of it is on record."""
