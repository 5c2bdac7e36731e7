"""Who may do what to whom: what every program that decides about people decides with, so that all decide alike.

Roles and actions come from the site's policy (``policy``), whom a person treats from RIS and EHR (``relations``,
``sources``), and who asks from whoever signed the person in (``subject``); what follows is said in ``decision``.
"""
