"""The radiology information system: fills orders, serves the worklist, follows procedure steps, passes reports on."""
