"""The judge: what happens to each event on its arrival, and the alerts that follow.

``judge`` puts the parts together; ``correlate`` keeps what correlations remember, within bounds and across restarts;
``alert`` is what comes of it. All of it is pure: events in, alerts out, and a state that can be written down.
"""
