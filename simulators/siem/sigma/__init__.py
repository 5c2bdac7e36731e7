"""Detections in Sigma (SigmaHQ specification 2.0): reading rules, and making a Python function of them.

Of Sigma what our rules use is understood, and every other word of it is an error: a rule that is judged otherwise than
it reads would be worse than none. ``model`` has the types, ``read`` makes them of a file, ``condition`` and ``match``
of its parts, ``compile`` one function for all rules of a kind of event.
"""
