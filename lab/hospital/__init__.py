"""How to look at a running hospital: archives, collected logs, RIS and record; shared by all that judges."""
