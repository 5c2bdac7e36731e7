"""The one description of a site: its types, how it is read, and what follows from it."""

from __future__ import annotations

from lab.topology.load import load_site
from lab.topology.model import Flow, Host, Topology, Zone
from lab.topology.site import ResolvedFlow, Site

__all__ = ["Flow", "Host", "ResolvedFlow", "Site", "Topology", "Zone", "load_site"]
