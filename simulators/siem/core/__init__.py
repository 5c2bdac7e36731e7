"""What numbers, judges, signs and stores what the intake has read, and acknowledges it then."""
