"""Whom a person treats and whom a department sees, told by the systems that know orders, admissions and procedures."""
