"""One change to the small site for each mistake that a description can hold."""

from __future__ import annotations

from typing import NamedTuple

from tests.unit.lab.topology.sites import SITE

FIREWALL = SITE[SITE.index("  fw1:") : SITE.index("  pacs1:")]
PACS = SITE[SITE.index("  pacs1:") : SITE.index("  ct1:")]
FLOWS_END = "    why: Administration\n"
FLOW = "  - from: {0}\n    to: {1}\n    service: {2}\n    why: Added\n"


class Mistake(NamedTuple):
    """A change to the site, the text on whose line it is reported (none: the whole file), and words that are said."""

    old: str
    new: str
    marker: str
    message: str
    remedy: str


def flow(source: str, target: str, service: str, permits: str = "") -> tuple[str, str]:
    """Return the change that adds a flow."""
    added = FLOW.format(source, target, service) + (f"    permits: {permits}\n" if permits else "")
    return FLOWS_END, FLOWS_END + added


def person(name: str, roles: str) -> tuple[str, str]:
    """Return the change that adds a person."""
    written = f"  {name}: {{given: A, family: B, department: C, roles: {roles}}}\n"
    return "flows:\n", f"people:\n{written}flows:\n"


HOME = (
    "  home1: {zone: core, address: 10.0.10.20, roles: [base, home], asset: {owner: X, criticality: low, purpose: X}}\n"
)


def partner(
    host: str, role: str = "visiting-clinician", *, homes: str = HOME, person: str = "e.lund"
) -> tuple[str, str]:
    """Return the change that adds a partner, and hosts that stand for partners' sign-ons."""
    people = f"people: {{{person}: {{given: A, family: B}}}}"
    written = f"partners:\n  other:\n    title: Other\n    host: {host}\n    role: {role}\n    {people}\n"
    return "flows:\n", f"{homes}{written if host else ''}flows:\n"


def watching(mirror: str, roles: str = "[base, watcher]") -> tuple[str, str]:
    """Return the change that adds a host which watches zones."""
    said = f"mirror: {mirror}, " if mirror else ""
    asset = "asset: {owner: X, criticality: low, purpose: X}"
    return "flows:\n", f"  w1: {{zone: core, address: 10.0.10.30, roles: {roles}, {said}{asset}}}\nflows:\n"


MISTAKES = {
    # Partners
    "partner without a host": Mistake(
        *partner("home2"), "host: home2", "Host home2 does not exist", "Did you mean home1?"
    ),
    "partner at another's host": Mistake(
        *partner("ct1", homes=""), "host: ct1", "ct1 is no sign-on of a partner", "partner-sign-on"
    ),
    "a sign-on of nobody's": Mistake(*partner(""), "  home1:", "home1 is the sign-on of no partner", "partners"),
    "unknown role of a partner": Mistake(
        *partner("home1", "visiting-clinican"),
        "role: visiting-clinican",
        "Role visiting-clinican does not exist",
        "Did you mean visiting-clinician?",
    ),
    "a partner's role with more than least rights": Mistake(
        *partner("home1", "referring-clinician"),
        "role: referring-clinician",
        "referring-clinician may place-order, and not only for patients whom a person treats",
        "least rights: visiting-clinician",
    ),
    "a partner's role that runs the systems": Mistake(
        *partner("home1", "pacs-administrator"), "role: pacs-administrator", "may manage-archive", "least rights"
    ),
    "no name to sign in with at home": Mistake(
        *partner("home1", person="Eva Lund"), "people: {Eva Lund", "Eva Lund", "lower case"
    ),
    # People
    "person called as a host": Mistake(
        *person("ct1", "[radiologist]"), "  ct1: {given", "ct1 is the name of a host", "another name"
    ),
    "person called as an account": Mistake(
        *person("root", "[radiologist]"), "  root: {given", "root is the name of an account", "another name"
    ),
    "unknown role of a person": Mistake(
        *person("a.b", "[radiolgist]"), "  a.b: {given", "Role radiolgist does not exist", "Did you mean radiologist?"
    ),
    "a person's role twice": Mistake(
        *person("a.b", "[vendor, vendor]"), "  a.b: {given", "a.b has role vendor twice", "Remove"
    ),
    "duties of one person": Mistake(
        *person("a.b", "[technologist, qa-authoriser]"),
        "  a.b: {given",
        "a.b may not be both technologist and qa-authoriser",
        "somebody else",
    ),
    "no name to sign in with": Mistake(
        *person("Ana Rivera", "[radiologist]"), "  Ana Rivera: {given", "Ana Rivera", "lower case"
    ),
    # YAML
    "syntax": Mistake("site: tiny", "site: [tiny", "title", "Not YAML", "brackets"),
    "tab": Mistake("  core:", "\tcore:", "\tcore:", "Not YAML", "no tabs"),
    "duplicate host": Mistake(
        "  ct2:",
        "  ct1:",
        "  ct1:\n    zone: scanners\n    address: 10.0.20.12",
        "ct1 stands here a second time; the first is on line 28",
        "Rename",
    ),
    "duplicate key": Mistake(
        "    vlan: 10\n",
        "    vlan: 10\n    vlan: 11\n",
        "vlan: 11",
        "vlan stands here a second time; the first is on line 6",
        "Rename",
    ),
    "not a date": Mistake("title: A tiny site", "title: 2024-13-01", "", "cannot be read", "quotation marks"),
    # Keys and values
    "unknown key": Mistake(
        "    isolated: true",
        "    isolatd: true",
        "isolatd",
        "zones.scanners.isolatd: there is no such key",
        "Did you mean isolated?",
    ),
    "unquoted comma": Mistake(
        "purpose: Firewall}",
        "purpose: Firewall, router}",
        "router",
        "hosts.fw1.asset.router: there is no such key",
        "quotation marks",
    ),
    "missing key": Mistake(
        "    purpose: Servers\n", "", "core:", "zones.core: purpose is missing", "What the zone is for"
    ),
    "missing section": Mistake(
        "title: A tiny site\n", "", "site:", "the file: title is missing", "Such as: Reference imaging site"
    ),
    "unknown word": Mistake(
        "criticality: high, purpose: Firewall",
        "criticality: hihg, purpose: Firewall",
        "hihg",
        "'hihg' is not a known word",
        "Did you mean high?",
    ),
    "unknown modality": Mistake(
        "modality: CT", "modality: XA", "modality: XA", "'XA' is not a known word", "CT, DX, MR, US"
    ),
    "unknown function": Mistake(
        "functions: [primary-archive]",
        "functions: [primay-archive]",
        "primay-archive",
        "Function primay-archive does not exist",
        "Did you mean primary-archive?",
    ),
    "function of another role": Mistake(
        "ae_title: CT1\n    modality: CT\n    functions: [acquisition]",
        "ae_title: CT1\n    modality: CT\n    functions: [primary-archive]",
        "functions: [primary-archive]\n    asset: {owner: Radiology, criticality: high, regulated: true, purpose: S",
        "ct1 cannot be primary-archive: it has no role archive",
        "give ct1 the role",
    ),
    "function twice": Mistake(
        "functions: [primary-archive]",
        "functions: [primary-archive, primary-archive]",
        "functions: [primary-archive, primary-archive]",
        "pacs1 has function primary-archive twice",
        "Remove",
    ),
    "selector of an unknown function": Mistake(
        "from: role:scanner",
        "from: function:aquisition",
        "function:aquisition",
        "No host has function aquisition",
        "Did you mean acquisition?",
    ),
    "wrong number": Mistake(
        "vlan: 20", "vlan: 4095", "4095", "4095 cannot stand here; expected less than or equal to 4094", "VLAN number"
    ),
    "host without content": Mistake(
        FIREWALL,
        "  fw1:\n",
        "fw1:",
        "hosts.fw1: None cannot stand here",
        "docs/topology.md",
    ),
    "not a network": Mistake("10.0.20.0/24", "10.0.20/24", "10.0.20/24", "is not a network", "such as 10.24.41.0/24"),
    "host bits": Mistake("10.0.20.0/24", "10.0.20.7/24", "10.0.20.7", "is not a network", "write 10.0.20.0/24"),
    "name": Mistake(
        "  scanners:", "  Scanners:", "  Scanners:", "zones.Scanners: 'Scanners' cannot stand here", "lower case"
    ),
    "AE title": Mistake("ae_title: CT1", "ae_title: ct1", "ae_title: ct1", "'ct1' cannot stand here", "A-Z"),
    "selector": Mistake(
        "from: role:scanner", "from: roles:scanner", "roles:scanner", "'roles:scanner' cannot stand here", "role:ROLE"
    ),
    "selector in a list": Mistake(
        "from: fw1", "from: [fw1, 'zone:']", "from: [fw1", "flows.1.from.1: 'zone:' cannot stand here", "zone:ZONE"
    ),
    "nobody listed": Mistake(
        "from: fw1", "from: []", "from: []", "flows.1.from: [] cannot stand here", "opens the connection"
    ),
    "domain": Mistake("tiny.internal", "tiny..internal", "domain:", "cannot stand here", "imaging.internal"),
    # Networks and addresses
    "overlap": Mistake(
        "10.0.20.0/24", "10.0.0.0/16", "10.0.0.0/16", "overlaps 10.0.10.0/24 of zone core (line 7)", "of its own"
    ),
    "vlan": Mistake(
        "vlan: 20",
        "vlan: 10",
        "vlan: 10\n    subnet: 10.0.20",
        "VLAN 10, which zone core has too (line 6)",
        "such as 11",
    ),
    "no room": Mistake("10.0.20.0/24", "10.0.20.0/31", "10.0.20.0/31", "no room for the gateway", "/30"),
    "loopback zone": Mistake(
        "10.0.20.0/24\n    isolated", "127.0.20.0/24\n    isolated", "127.0.20.0", "cannot be routed", "RFC 1918"
    ),
    "outside its zone": Mistake(
        "address: 10.0.20.11",
        "address: 10.0.21.11",
        "10.0.21.11",
        "10.0.21.11 of ct1 is not in 10.0.20.0/24",
        "such as 10.0.20.11",
    ),
    "other zone's address": Mistake(
        "address: 10.0.20.11",
        "address: 10.0.10.99",
        "10.0.10.99",
        "is not in 10.0.20.0/24",
        "Or put ct1 into zone core",
    ),
    "network address": Mistake(
        "address: 10.0.20.11",
        "address: 10.0.20.0\n",
        "address: 10.0.20.0\n",
        "is the network address",
        "from 10.0.20.2 to 10.0.20.254",
    ),
    "broadcast address": Mistake(
        "address: 10.0.20.11", "address: 10.0.20.255", "10.0.20.255", "is the broadcast address", "such as 10.0.20.11"
    ),
    "gateway's address": Mistake(
        "address: 10.0.20.11",
        "address: 10.0.20.1\n",
        "address: 10.0.20.1\n",
        "is the gateway's address of zone scanners",
        "such as 10.0.20.11",
    ),
    "duplicate address": Mistake(
        "address: 10.0.20.12",
        "address: 10.0.20.11",
        "address: 10.0.20.11\n    roles: [base, scanner]\n    ae_title: CT2",
        "is taken by ct1 (line 30)",
        "such as 10.0.20.12",
    ),
    "gateway elsewhere": Mistake(
        "address: 10.0.10.1\n",
        "address: 10.0.10.2\n",
        "address: 10.0.10.2",
        "fw1 is the gateway, but 10.0.10.2 is not",
        "Write 10.0.10.1",
    ),
    # Hosts
    "no such zone": Mistake(
        "  ct1:\n    zone: scanners",
        "  ct1:\n    zone: scaners",
        "scaners",
        "zone scaners, which does not exist",
        "Did you mean scanners?",
    ),
    "no such role": Mistake(
        "[base, archive]",
        "[base, archiv]",
        "archiv]",
        "pacs1 has role archiv, which does not exist",
        "Did you mean archive?",
    ),
    "role twice": Mistake(
        "[base, archive]", "[base, archive, base]", "[base, archive, base]", "has role base twice", "Remove"
    ),
    "no gateway": Mistake("    gateway: true\n", "", "fw1:", "No host is the gateway", "gateway: true at fw1"),
    "AE title twice": Mistake(
        "ae_title: CT2",
        "ae_title: 'CT1'",
        "'CT1'",
        "AE title CT1, which ct1 has too (line 32)",
        "of its own",
    ),
    "host named as a zone": Mistake(
        "  ct2:", "  core:", "  core:\n    zone: scanners", "has the name of a zone (line 5)", "Rename"
    ),
    "host named fabric": Mistake("  ct2:", "  fabric:", "  fabric:", "cannot be called fabric", "Rename"),
    "long DNS name": Mistake(
        "domain: tiny.internal",
        "domain: " + "a" * 55 + ".internal",
        "domain:",
        "characters; a certificate's common name has 64",
        "Shorten",
    ),
    # Foreign devices
    "command without an image": Mistake(
        "    ae_title: CT2",
        "    device: {command: [storescp]}\n    ae_title: CT2",
        "{command:",
        "Device ct2 has command and no image",
        "Name its image, or remove command",
    ),
    "a device as the gateway": Mistake(
        "    gateway: true", "    device: {}\n    gateway: true", "device: {}", "fw1 is the gateway", "Remove device"
    ),
    "a device among neighbours": Mistake(
        "    zone: scanners\n    address: 10.0.20.12\n    roles: [base, scanner]",
        "    zone: core\n    address: 10.0.10.12\n    device: {}\n    roles: [base, scanner]",
        "zone: core\n    address: 10.0.10.12",
        "Device ct2 stands in zone core with pacs1, and nothing judges",
        "Write isolated: true at zone core (line 5), or give ct2 a zone of its own",
    ),
    # Mirrors
    "a mirror of no zone": Mistake(
        *watching("[scaners]"), "[scaners]", "watches zone scaners", "Did you mean scanners?"
    ),
    "a mirror of the own zone": Mistake(
        *watching("[scanners, core]"), "core]", "watches zone core, in which it has an address", "take core out"
    ),
    "a mirror at the gateway": Mistake(
        "    gateway: true", "    mirror: all\n    gateway: true", "mirror: all", "address in every zone", "of its own"
    ),
    "a mirror for nothing": Mistake(
        *watching("all", "[base]"), "mirror: all", "none of its roles does anything", "Remove mirror"
    ),
    "a role without its mirror": Mistake(
        *watching("", "[base, watcher]"), "[base, watcher]", "no mirror: It looks", "Write mirror: all at w1"
    ),
    "service twice": Mistake(
        "[base, archive]",
        "[base, archive, second_archive]",
        "second_archive",
        "both offer service web",
        "different hosts",
    ),
    # Flows
    "no such host": Mistake(
        *flow("pacs2", "pacs1", "web"), "from: pacs2", "Host pacs2 does not exist", "Did you mean pacs1?"
    ),
    "zone for a host": Mistake(*flow("core", "pacs1", "web"), "from: core", "core is a zone, not a host", "zone:core"),
    "role for a host": Mistake(*flow("base", "pacs1", "web"), "from: base", "base is a role, not a host", "role:base"),
    "selector of no zone": Mistake(
        *flow("zone:cor", "pacs1", "web"), "zone:cor\n", "Zone cor does not exist", "Did you mean core?"
    ),
    "selector of no role": Mistake(
        *flow("[fw1, 'role:second_archive']", "pacs1", "web"),
        "role:second_archive",
        "No host has role second_archive",
        "Roles in use: archive, base, scanner",
    ),
    "empty zone": Mistake(
        "hosts:\n",
        "  empty: {vlan: 30, subnet: 10.0.30.0/24, purpose: Nothing}\nhosts:\n",
        "zone:empty",
        "Nobody stands in zone empty",
        "Put a host",
    ),
    "service not offered": Mistake(
        *flow("ct1", "pacs1", "wbe"),
        "service: wbe",
        "pacs1 does not offer wbe",
        "Did you mean web? Offered by pacs1: dicom-tls, hl7-tls, web",
    ),
    "loopback service": Mistake(
        *flow("ct1", "pacs1", "dicom"), "service: dicom\n", "listens on the loopback alone on pacs1", "Offered by pacs1"
    ),
    "portless service": Mistake(
        *flow("ct1", "pacs1", "cleaner"),
        "service: cleaner",
        "has no port that could be opened on pacs1",
        "Offered by pacs1",
    ),
    "unknown permit": Mistake(
        "permits: [C-ECHO, C-STORE]",
        "permits: [C-ECHO, C-STOER]",
        "C-STOER",
        "C-STOER is nothing that dicom-tls can permit",
        "Did you mean C-STORE?",
    ),
    "unknown message": Mistake(
        *flow("ct1", "pacs1", "hl7-tls", "[ADT-A04]"),
        "ADT-A04",
        "ADT-A04 is nothing that hl7-tls can permit",
        "such as ADT^A04",
    ),
    "no permits": Mistake(
        "    permits: [C-ECHO, C-STORE]\n",
        "",
        "- from: role:scanner",
        "permits nothing",
        "Add permits. Known here: C-ECHO",
    ),
    "permits of a whole": Mistake(
        *flow("ct1", "pacs1", "web", "[GET]"), "[GET]", "web is allowed as a whole", "Remove permits"
    ),
    "no AE title": Mistake(
        "    ae_title: CT1\n",
        "",
        "from: role:scanner",
        "ct1 takes part in a flow of dicom-tls and has no AE title",
        "Write ae_title at host ct1 (line 28)",
    ),
    "to itself": Mistake(*flow("pacs1", "pacs1", "web"), "- from: pacs1", "joins pacs1 to itself", "loopback"),
    "within an isolated zone": Mistake(
        *flow("ct1", "ct2", "results"),
        "- from: ct1",
        "ct1 cannot reach ct2: both stand in zone scanners",
        "clear isolated at scanners (line 12)",
    ),
}

TOGETHER = {
    "duplicate host",
    "name",
    "empty zone",
    "loopback zone",
    "no room",
    "overlap",
    "host named as a zone",
    "gateway elsewhere",
    "long DNS name",
}
"""Mistakes that bring others with them, each worth its own line."""
