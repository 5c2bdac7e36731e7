"""Incidents: what alerts have in common, what people decided about them, and who is told.

``model`` has the types, ``fold`` makes incidents of alerts and decisions, ``decide`` says which decision may be taken,
``store`` is what keeps them, ``notify`` phrases mails and messages. Nothing is ever changed: decisions are added.
"""
