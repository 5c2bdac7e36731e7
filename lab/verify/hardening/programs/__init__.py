"""Programs that a check runs on the host that it judges; standard library only, sent as text."""
