"""Everything that is longer than ``make test`` may be; ``python -m tests.night`` runs it and ends with a table."""
