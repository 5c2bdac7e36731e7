"""Lines of other programs' making, one module a program: what each says in its own words, as an action with facts.

:func:`simulators.siem.parse.table.read` finds the module by the line's program. What a module does not know stays a
plain line (dataset ``system.line``). No text of a line is kept where it could name a patient, and what somebody at the
other end of a connection could have written is believed only where nothing else can be meant.
"""
