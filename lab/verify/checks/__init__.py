"""The checks: each module here has one, as ``CHECK``, and is found by being here."""
