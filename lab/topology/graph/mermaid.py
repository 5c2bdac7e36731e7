"""Draw a site as a Mermaid flowchart, which documents and code hosts render themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.topology.graph import style
from lab.topology.graph.nets import site_nets, uncommon_roles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.topology.site import Site


def draw_mermaid(site: Site, health: Mapping[str, str] | None = None) -> str:
    """Return the picture as Mermaid text: zones as subgraphs, one arrow for each pair of zones and service.

    Flows of nearly every host are written beside the host that serves them, without arrows.
    """
    nets = site_nets(site)
    strokes = style.strokes((net.service for net in nets), site.catalog)
    roles = uncommon_roles(site)
    lines = ["flowchart LR"]
    for zone, entry in site.topology.zones.items():
        mark = ", isolated" if entry.isolated else ""
        lines.append(f'  subgraph zone_{_identifier(zone)}["{_text(f"{zone} · {entry.subnet}{mark}")}"]')
        for name, host in site.hosts.items():
            if host.zone != zone:
                continue
            facts = [f"<b>{_text(name)}</b>", str(host.address), _text(", ".join(roles[name]))]
            facts += [
                _text(f"from nearly every host: {net.service}") for net in nets if net.common and name in net.targets
            ]
            if health is not None:
                facts.append(_text(style.health_mark(health.get(name, "unknown"))[1]))
            lines.append(f'    {_identifier(name)}["{"<br/>".join(fact for fact in facts if fact)}"]')
        lines.append("  end")
    arrows = dict.fromkeys(
        (net.service, source, target)
        for net in nets
        if not net.common
        for source, target in _ends(site, net.sources, net.targets)
    )
    for service, source, target in arrows:
        lines.append(f"  {source} -->|{service}| {target}")
    for service in dict.fromkeys(service for service, _, _ in arrows):
        places = [str(place) for place, arrow in enumerate(arrows) if arrow[0] == service]
        lines.append(f"  linkStyle {','.join(places)} stroke:{strokes[service].colour}")
    for name in site.hosts if health is not None else ():
        colour, _ = style.health_mark((health or {}).get(name, "unknown"))
        lines.append(f"  style {_identifier(name)} stroke:{colour},stroke-width:4px")
    return "\n".join([*lines, ""])


def _ends(site: Site, sources: tuple[str, ...], targets: tuple[str, ...]) -> list[tuple[str, str]]:
    """Join zones; inside one zone join the hosts themselves."""
    ends = []
    for source in sources:
        for target in targets:
            here, there = site.hosts[source].zone, site.hosts[target].zone
            if here != there:
                ends.append((f"zone_{_identifier(here)}", f"zone_{_identifier(there)}"))
            elif source != target:
                ends.append((_identifier(source), _identifier(target)))
    return ends


def _identifier(name: str) -> str:
    """Return a node's name; ``end`` alone would close a subgraph."""
    return f"host_{name.replace('-', '_')}" if name == "end" else name.replace("-", "_")


def _text(text: str) -> str:
    """Escape what would end a label."""
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
