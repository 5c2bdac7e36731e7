"""What Ansible roles see of a site: the variables of ``docs/architecture.md``, each no wider than roles need.

A host is configured again when a variable that one of its roles reads has changed (``lab.operate.inputs``), so what a
variable does not hold configures nobody: ``site_flows`` has what a packet filter sees, and no variable has a reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.access.policy import load_policy
from lab.topology.fabric_log import LOOPBACK, SOURCE
from lab.topology.order import play_order
from lab.topology.site import MIRROR

if TYPE_CHECKING:
    from lab.topology.site import ResolvedFlow, Site

SERVICE = {"port", "protocol", "scope", "unit", "probe", "provides", "account", "callers", "presents", "carries"}
"""What a host is told of its own services; all else in a role's ``meta/pacslab.yml`` is for the driver."""
CONNECTION = {
    *("source", "source_zone", "source_address"),
    *("target", "target_zone", "target_address"),
    *("service", "protocol", "port"),
}
"""What is told of flows between others: who connects to what, not what may be asked inside."""
CERTIFICATE = {"profile", "owner", "group", "reload"}


def site_variables(site: Site) -> dict[str, Any]:
    """Variables that every host shares."""
    return {
        "site_name": site.name,
        "site_title": site.topology.title,
        "site_domain": site.topology.domain,
        "site_fabric": {"name": SOURCE, "loopback": LOOPBACK},
        "site_roles": [
            role for role in play_order(site.catalog) if any(role in host.roles for host in site.managed.values())
        ],
        "site_zones": {
            name: {
                "vlan": zone.vlan,
                "interface": f"vlan{zone.vlan}",
                "subnet": str(zone.subnet),
                "gateway": str(zone.gateway),
                "isolated": zone.isolated,
            }
            for name, zone in site.topology.zones.items()
        },
        "site_names": {
            name: {"fqdn": site.fqdn(name), "address": str(host.address)} for name, host in site.hosts.items()
        },
        "site_hosts": {
            name: {
                "fqdn": site.fqdn(name),
                "address": str(host.address),
                "zone": host.zone,
                "roles": list(host.roles),
                "functions": list(host.functions),
                "ae_title": host.ae_title,
                "modality": host.modality,
                "services": {
                    service: {"port": entry.port, "protocol": entry.protocol, "scope": entry.scope, "unit": entry.unit}
                    for service, entry in site.services(name).items()
                },
            }
            for name, host in site.hosts.items()
        },
        "site_policy": load_policy().by_role(),
        "site_departments": {name: host.asset.owner for name, host in site.hosts.items()},
        "site_purposes": {
            "zones": {name: zone.purpose for name, zone in site.topology.zones.items()},
            "hosts": {name: host.asset.purpose for name, host in site.hosts.items()},
        },
        "site_people_roles": {name: role.title for name, role in load_policy().roles.items()},
        "site_access": load_policy().at_places(),
        "site_people": {name: person.model_dump(mode="json") for name, person in site.topology.people.items()},
        "site_administrators": list(site.administrators),
        "site_partners": {
            name: {"fqdn": site.fqdn(partner.host), **partner.model_dump(mode="json", exclude={"people"})}
            for name, partner in site.topology.partners.items()
        },
        "site_flows": [
            {key: value for key, value in _flow(site, flow).items() if key in CONNECTION} for flow in site.flows
        ],
    }


def host_variables(site: Site, name: str) -> dict[str, Any]:
    """Variables of one host."""
    host = site.hosts[name]
    return {
        "host_name": name,
        "host_fqdn": site.fqdn(name),
        "host_zone": host.zone,
        "host_address": str(host.address),
        "host_gateway": None if host.gateway else str(site.topology.zones[host.zone].gateway),
        "host_interfaces": [
            {
                "name": interface.name,
                "zone": interface.zone,
                "address": str(interface.address),
                "prefix": interface.prefix,
            }
            for interface in site.interfaces(name)
        ],
        "host_mirror": None if host.mirror is None else {"interface": MIRROR, "zones": site.mirrored(name)},
        "host_roles": list(host.roles),
        "host_functions": list(host.functions),
        "host_ae_title": host.ae_title,
        "host_modality": host.modality,
        "host_services": {
            service: entry.model_dump(mode="json", include=SERVICE) for service, entry in site.services(name).items()
        },
        "host_storage": {
            "folders": list(site.storage(name)),
            "free_space": site.free_space(name).model_dump(mode="json"),
        },
        "host_loopback": [
            {"service": service, "port": port, "accounts": site.local_callers(name, service)}
            for service, port in site.believing(name)
        ],
        "host_certificates": {
            certificate: entry.model_dump(mode="json", include=CERTIFICATE)
            for certificate, entry in site.certificates(name).items()
        },
        "host_partner": _partner(site, name),
        "host_asks": site.asks(name),
        "flows_in": [_flow(site, flow) for flow in site.flows_in(name)],
        "flows_out": [_flow(site, flow) for flow in site.flows_out(name)],
    }


def _partner(site: Site, host: str) -> dict[str, Any] | None:
    """The partner whose sign-on a host stands for, with its people; none for every other host."""
    for name, partner in site.topology.partners.items():
        if partner.host == host:
            return {"name": name, **partner.model_dump(mode="json", include={"title", "people"})}
    return None


def _flow(site: Site, flow: ResolvedFlow) -> dict[str, Any]:
    source, target = site.hosts[flow.source], site.hosts[flow.target]
    return {
        "source": flow.source,
        "source_fqdn": site.fqdn(flow.source),
        "source_address": str(site.address_towards(flow.source, flow.target)),
        "source_ae_title": source.ae_title,
        "source_performs_as": list(source.performs_as),
        "source_modality": source.modality,
        "source_functions": list(source.functions),
        "source_zone": source.zone,
        "target": flow.target,
        "target_fqdn": site.fqdn(flow.target),
        "target_identity": site.identity(flow.target, flow.service),
        "target_address": str(target.address),
        "target_ae_title": target.ae_title,
        "target_roles": list(target.roles),
        "target_functions": list(target.functions),
        "target_zone": target.zone,
        "service": flow.service,
        "provides": site.services(flow.target)[flow.service].provides,
        "protocol": flow.protocol,
        "port": flow.port,
        "permits": list(flow.permits),
        "asks": site.asks(flow.source).get(flow.service, {}),
    }
