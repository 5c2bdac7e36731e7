"""The normaliser: whatever a host sends becomes one flat event with the fields of :mod:`simulators.siem.fields`.

- :func:`simulators.siem.normalise.audit.of_message`: a parsed audit message;
- :func:`simulators.siem.normalise.lines.of_line`: a line as the collector keeps it (docs/logs.md), of whatever program.

Both are pure: the same input gives the same event. ``host`` is the sender as its certificate names it, never what the
text says of itself.
"""
