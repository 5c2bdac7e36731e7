"""People: who may do what, tried by everybody at every place that decides it."""
