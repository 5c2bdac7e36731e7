"""Tells people of incidents: by mail, and by a webhook where a site has one.

``seen`` follows alerts and decisions, ``notices`` keeps who was told of what, ``mail`` and ``webhook`` deliver,
``round`` decides what is due and ``serve`` is the service.
"""
