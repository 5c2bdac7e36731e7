"""The fabric's own packet filter: each port speaks as the MAC and IPv4 address of the host that it belongs to.

Without it a host could answer ARP in a neighbour's name, or send packets with a neighbour's address: isolated ports
keep hosts from each other, not from the firewall. Switches call the same port security, dynamic ARP inspection
and IP source guard.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network

TABLE = "ports"
GROUP = 1
"""The log group (nfnetlink_log) of refused frames."""
LOGGED_PER_SECOND = 2
LOGGED_AT_ONCE = 20
"""How many refused frames of one port are logged; all are counted."""
PREFIX = "PDENY"


@dataclass(frozen=True)
class PortOwner:
    """A port of the fabric, and who may speak there.

    Attributes:
        port: The interface's name in the fabric.
        host: The host at its other end.
        mac: That host's MAC address in this zone.
        address: Its IPv4 address there.
        zone: The zone's network.
        gateway: The host is the firewall: it brings packets of every other zone.
    """

    port: str
    host: str
    mac: str
    address: IPv4Address
    zone: IPv4Network
    gateway: bool = False


def port_filter(owners: list[PortOwner]) -> str:
    """The rules, as nft(8) reads them; loading them replaces those in force in one step."""
    ordered = sorted(owners, key=lambda owner: owner.port)
    return "\n".join([f"table bridge {TABLE}", f"delete table bridge {TABLE}", *_table(ordered), ""])


def _table(owners: list[PortOwner]) -> list[str]:
    return [
        f"table bridge {TABLE} {{",
        *(f"    counter {owner.port} {{ }}" for owner in owners),
        *_set(
            "speakers",
            "iifname . ether saddr . ip saddr",
            [f'"{owner.port}" . {owner.mac} . {owner.address}' for owner in owners],
        ),
        *_set(
            "announced",
            "iifname . ether saddr . arp saddr ether . arp saddr ip",
            [f'"{owner.port}" . {owner.mac} . {owner.mac} . {owner.address}' for owner in owners],
        ),
        "    chain enter {",
        "        type filter hook prerouting priority -300; policy drop;",
        "        ether type { 8021q, 8021ad } goto refuse",
        "        iifname . ether saddr . ip saddr @speakers accept",
        "        iifname . ether saddr . arp saddr ether . arp saddr ip @announced accept",
        *(
            f'        iifname "{owner.port}" ether saddr {owner.mac} ip saddr != {owner.zone} accept'
            for owner in owners
            if owner.gateway
        ),
        "        goto refuse",
        "    }",
        "    chain refuse {",
        "        iifname vmap {",
        *(f'            "{owner.port}" : goto refuse_{owner.port},' for owner in owners),
        "        }",
        "        drop",
        "    }",
        *(line for owner in owners for line in _refusal(owner)),
        "}",
    ]


def _set(name: str, key: str, elements: list[str]) -> list[str]:
    return [
        f"    set {name} {{",
        f"        typeof {key}",
        "        elements = {",
        *(f"            {element}," for element in elements),
        "        }",
        "    }",
    ]


def _refusal(owner: PortOwner) -> list[str]:
    return [
        f"    chain refuse_{owner.port} {{",
        f"        counter name {owner.port}",
        f"        limit rate over {LOGGED_PER_SECOND}/second burst {LOGGED_AT_ONCE} packets drop",
        f'        log prefix "{PREFIX} {owner.host} {owner.port} " group {GROUP}',
        "        drop",
        "    }",
    ]
