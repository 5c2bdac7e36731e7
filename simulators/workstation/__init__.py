"""A workstation: it finds and reads studies, and adds annotations, key objects, measurements and reports."""
