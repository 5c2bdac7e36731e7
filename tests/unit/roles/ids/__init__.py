"""What role ids puts on a host, and what its rules recognise."""
