"""Which check, step and document supports which control, and what the last runs of a lab say of each."""
