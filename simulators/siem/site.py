"""What a site's description says about events: whose an address is, which connections are declared, when people work.

It comes as JSON that is derived from the topology; fields that it adds to an event are facts of the site, which rules
can ask for like any other.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from simulators.siem.normalise.moment import seconds_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.siem.fields import Fields

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

BY_PEOPLE = frozenset({
    "person-searches", "person-views", "person-adds", "person-breaks-glass", "query", "retrieve", "report", "sign-in",
    "authorize", "ssh-login", "sudo",
})  # fmt: skip
"""Actions of which the hour matters."""


@dataclass(frozen=True)
class Hours:
    """When people work at a site."""

    timezone: str = "UTC"
    begin: int = 7
    end: int = 20
    days: frozenset[int] = frozenset(range(5))
    """0 is Monday."""

    def are(self, seconds: float) -> bool:
        """Whether a time is within them."""
        zone = UTC if self.timezone == "UTC" else ZoneInfo(self.timezone)
        when = datetime.fromtimestamp(seconds, tz=zone)
        return when.weekday() in self.days and self.begin <= when.hour < self.end


@dataclass(frozen=True)
class Site:
    """The site, as the judge needs it.

    Attributes:
        hosts: zone of each host, by its name.
        addresses: host of each address.
        zones: network of each zone.
        flows: source host, target host and port of each flow.
        departments: department of each person.
        members: who is in a group of every host, or of the directory.
        stations: department of each station, by its AE title.
        watched: patients whom the site watches over.
        hours: when people work.
        senders: hosts that are to be heard of.
    """

    hosts: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    zones: Mapping[str, Network] = field(default_factory=dict)
    flows: frozenset[tuple[str, str, int]] = frozenset()
    departments: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    stations: Mapping[str, str] = field(default_factory=dict)
    watched: frozenset[str] = frozenset()
    hours: Hours = field(default_factory=Hours)
    senders: frozenset[str] = frozenset()

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Site:
        """Read a site.

        Args:
            given: ``hosts``: ``{name: {"zone", "addresses"}}``; ``zones``: ``{name: subnet}``; ``flows``: ``[[source,
                target, port]]``; ``people``: ``{name: department}``; ``members``: ``{group: [account]}``;
                ``stations``: ``{AE title: department}``; ``watched``: patients; ``hours``: ``{"timezone", "begin",
                "end", "days"}``; ``senders``: hosts.
        """
        hosts = given.get("hosts", {})
        hours = dict(given.get("hours", {}))
        if "days" in hours:
            hours["days"] = frozenset(hours["days"])
        return cls(
            hosts={name: host["zone"] for name, host in hosts.items()},
            addresses={address: name for name, host in hosts.items() for address in host["addresses"]},
            zones={name: ipaddress.ip_network(subnet) for name, subnet in given.get("zones", {}).items()},
            flows=frozenset((source, target, int(port)) for source, target, port in given.get("flows", ())),
            departments=dict(given.get("people", {})),
            members={group: frozenset(names) for group, names in given.get("members", {}).items()},
            stations=dict(given.get("stations", {})),
            watched=frozenset(given.get("watched", ())),
            hours=Hours(**hours),
            senders=frozenset(given.get("senders", ())),
        )

    def zone_of(self, address: str) -> str:
        """Return the zone in whose network an address lies, empty where it lies in none."""
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return ""
        return next((name for name, network in self.zones.items() if parsed in network), "")

    def enrich(self, fields: Fields) -> Fields:
        """Add to an event what the site says about it, and return it."""
        self._caller(fields)
        if fields.get("event.dataset") == "ids.flow":
            self._flow(fields)
        if (person := fields.get("user.name")) in self.departments:
            fields["pacslab.department"] = self.departments[str(person)]
        if fields.get("user.target.name") in self.members.get(str(fields.get("group.name")), ()):
            fields["pacslab.member"] = "declared"
        if fields.get("patient.id") in self.watched:
            fields["patient.group"] = "watched"
        if fields.get("event.action") in BY_PEOPLE and "user.name" in fields:
            seconds = seconds_of(str(fields.get("@timestamp")))
            if seconds is not None and not self.hours.are(seconds):
                fields["pacslab.hours"] = "off"
        return fields

    def _caller(self, fields: Fields) -> None:
        """Name who called and its zone; a name that a program gave stays."""
        address = str(fields.get("source.ip") or fields.get("pacslab.claims") or "")
        name = self.addresses.get(address, "")
        if "source.ip" in fields and name:
            fields.setdefault("source.domain", name)
        if zone := self.hosts.get(name) or self.hosts.get(str(fields.get("source.domain")), ""):
            fields["pacslab.zone"] = zone
        if address and not name and (zone := self.zone_of(address)):
            fields["pacslab.device"] = "undeclared"
            fields.setdefault("pacslab.zone", zone)

    def _flow(self, fields: Fields) -> None:
        source = self.addresses.get(str(fields.get("source.ip")))
        target = self.addresses.get(str(fields.get("destination.ip")))
        port = fields.get("destination.port")
        if target is None:
            outside = not self.zone_of(str(fields.get("destination.ip")))
            fields["pacslab.flow"] = "outside" if outside else "undeclared"
        else:
            fields["pacslab.flow"] = "declared" if (source, target, port) in self.flows else "undeclared"
