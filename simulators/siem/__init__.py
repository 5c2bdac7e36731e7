"""What the repository of audit messages consists of: how a message is judged, kept and searched."""
