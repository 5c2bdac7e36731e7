"""A department with an archive of its own."""
