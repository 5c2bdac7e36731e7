"""People at work without a pause: orders placed, steps performed, studies read; brought along, and on no host."""
