"""What the check of assets must catch: ports, neighbours, addresses, packages, certificates that nobody described."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lab.assets.tell import FUNCTION
from lab.engine import names
from lab.engine.execute import execute
from lab.engine.fabric import bridge_name, port_owners
from lab.engine.port_filter import TABLE
from lab.engine.wire import STATE
from lab.errors import EngineError
from lab.verify.assets.answers import ANSWERS
from lab.verify.assets.certificates import CERTIFICATES, proving
from lab.verify.assets.neighbours import NEIGHBOURS
from lab.verify.assets.ports import PORTS
from lab.verify.assets.scan import SERVICES, scanned
from lab.verify.assets.software import SOFTWARE
from lab.verify.mutation import Mutation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.engine.lab import Lab
    from lab.engine.port_filter import PortOwner
    from lab.topology.site import ResolvedFlow, Site

PORT, END = "sabotage0", "sabotage1"
STRANGE_CARD = "02:00:5e:00:53:01"
STATUS, KEPT = "/var/lib/dpkg/status", "/run/pacslab-sabotage"
STANZA = (
    "\\nPackage: pacslab-sabotage\\nStatus: install ok installed\\nMaintainer: x <x@x.invalid>\\n"
    "Architecture: all\\nVersion: 1\\nDescription: x\\n"
)
FOLDER = "/etc/pacslab/tls"


def mutations(site: Site) -> Iterator[Mutation]:
    """One of each kind, on whichever hosts the site has."""
    owner = next(owner for owner in port_owners(site) if not owner.gateway)
    zone = site.hosts[owner.host].zone
    other = next(
        address
        for address in owner.zone.hosts()
        if address not in {host.address for host in site.hosts.values()} | {site.topology.zones[zone].gateway}
    )
    about_zone = f"zone {zone}"
    yield Mutation(PORTS.id, "", about_zone, partial(_port_added, zone), judged=(PORTS.id,))
    yield Mutation(
        NEIGHBOURS.id, site.gateway, about_zone, partial(_neighbour_added, zone, str(other)), judged=(NEIGHBOURS.id,)
    )
    yield Mutation(ANSWERS.id, owner.host, "", partial(_silenced, owner), judged=(ANSWERS.id,), hosts=(owner.host,))
    yield Mutation(ANSWERS.id, "", about_zone, partial(_address_added, owner, str(other)), judged=(ANSWERS.id,))
    yield Mutation(
        SOFTWARE.id, owner.host, "packages", partial(_installed, owner.host), judged=(SOFTWARE.id,), hosts=(owner.host,)
    )
    scanner = next(iter(site.with_function(FUNCTION)), None)
    sought = [] if scanner is None else [flow for flows in scanned(site, scanner).values() for flow in flows]
    if sought:
        flow = sought[-1]  # the site wrote it for the scanner; what comes first, every host needs
        subject = f"{flow.service} tcp/{flow.port} from {flow.source}"
        yield Mutation(
            SERVICES.id, flow.target, subject, partial(_shut, flow), judged=(SERVICES.id,), hosts=(flow.target,)
        )
    served = next((host for host in site.managed if proving(site, host)), None)
    if served is not None:
        yield Mutation(
            CERTIFICATES.id, served, "", partial(_replaced, served), judged=(CERTIFICATES.id,), hosts=(served,)
        )


def _port_added(zone: str, lab: Lab) -> Callable[[], None]:
    """Plug something into a zone's switch."""
    bridge = bridge_name(lab.site.topology.zones[zone].vlan)
    script = f"ip link add {PORT} type veth peer name {END} && ip link set {PORT} master {bridge} up"
    _in_fabric(lab, "sh", "-c", script)
    return partial(_in_fabric, lab, "ip", "link", "del", PORT)


def _neighbour_added(zone: str, address: str, lab: Lab) -> Callable[[], None]:
    """Have the firewall know somebody whom the description has not."""
    site = lab.site
    interface = next(found.name for found in site.interfaces(site.gateway) if found.zone == zone)
    about = [address, "dev", interface]
    _on(lab, site.gateway, "ip", "neigh", "replace", *about, "lladdr", STRANGE_CARD, "nud", "permanent")
    return partial(_on, lab, site.gateway, "ip", "neigh", "del", *about)


def _silenced(owner: PortOwner, lab: Lab) -> Callable[[], None]:
    """Take a host's answers out at its port; the fabric's own filter, which it keeps, lets them in again."""
    _in_fabric(lab, *_filter("iifname", owner.port, "ether", "type", "arp", "drop"))
    return partial(_in_fabric, lab, "nft", "--file", f"{STATE}/filter")


def _address_added(owner: PortOwner, address: str, lab: Lab) -> Callable[[], None]:
    """Give a host one more address, at a port that lets everything in."""
    interface = lab.site.interfaces(owner.host)[0].name
    about = [f"{address}/{owner.zone.prefixlen}", "dev", interface]
    _on(lab, owner.host, "ip", "address", "add", *about)
    _in_fabric(lab, *_filter("accept"))

    def undo() -> None:
        _in_fabric(lab, "nft", "--file", f"{STATE}/filter")
        _on(lab, owner.host, "ip", "address", "del", *about)

    return undo


def _shut(flow: ResolvedFlow, lab: Lab) -> Callable[[], None]:
    """Have a host drop what the scanner sends to one of its services; loading its filter takes that back."""
    source = str(lab.site.address_towards(flow.source, flow.target))
    rule = ["input", "ip", "saddr", source, "tcp", "dport", str(flow.port), "drop"]
    _on(lab, flow.target, "nft", "insert", "rule", "inet", "filter", *rule)
    return partial(_on, lab, flow.target, "systemctl", "reload", "nftables")


def _installed(host: str, lab: Lab) -> Callable[[], None]:
    """Have a package installed that the image has not."""
    script = f"mkdir -p {KEPT} && cp -a {STATUS} {KEPT}/status && printf '{STANZA}' >>{STATUS}"
    _on(lab, host, "sh", "-c", script)
    return partial(_on, lab, host, "mv", "-f", f"{KEPT}/status", STATUS)


def _replaced(host: str, lab: Lab) -> Callable[[], None]:
    """Have a service show a certificate that nobody issued, and which ends in three days."""
    service = next(iter(proving(lab.site, host)))
    profile = lab.site.services(host)[service].presents
    name, own = next((name, own) for name, own in lab.site.certificates(host).items() if own.profile == profile)
    restart = f"systemctl restart {' '.join(own.reload)}"
    made = (
        f"set -e; mkdir -p {KEPT}; cp -a {FOLDER}/{name}.key {FOLDER}/{name}.crt {FOLDER}/{name}.pem {KEPT}/;"
        f" openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3 -subj /CN=sabotage"
        f" -keyout {KEPT}/new.key -out {KEPT}/new.crt 2>/dev/null;"
        f" cat {KEPT}/new.key >{FOLDER}/{name}.key; cat {KEPT}/new.crt >{FOLDER}/{name}.crt;"
        f" cat {KEPT}/new.crt {KEPT}/new.key >{FOLDER}/{name}.pem; {restart}"
    )
    undone = (
        f"for kind in key crt pem; do cat {KEPT}/{name}.$kind >{FOLDER}/{name}.$kind; done; rm -rf {KEPT}; {restart}"
    )
    _on(lab, host, "sh", "-c", made)
    return partial(_on, lab, host, "sh", "-c", undone)


def _filter(*rule: str) -> list[str]:
    return ["nft", "insert", "rule", "bridge", TABLE, "enter", *rule]


def _in_fabric(lab: Lab, *argv: str) -> None:
    done = execute(lab.docker, names.fabric(lab.name), list(argv))
    if done.code:
        raise EngineError(f"The fabric refused {argv[0]}: {done.stderr.strip()}", remedy="Run `pacslab up`.")


def _on(lab: Lab, host: str, *argv: str) -> None:
    done = lab.run(host, list(argv))
    if done.code:
        raise EngineError(f"{host}: {argv[0]} ended with {done.code}: {done.stderr.strip()}", remedy="See its log.")
