"""Every certificate is the described one: its name, profile and chain; its key closed; its revocation list fresh."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab.topology.catalog import certificate_profiles
from lab.verify.hardening.allowed import allowed
from lab.verify.hardening.declare import Sabotage, has_role, promise
from lab.verify.hardening.facts import FILES, files
from lab.verify.hardening.sabotages import changed_file, changed_mode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from testinfra.host import Host

    from lab.topology.catalog import Certificate
    from lab.verify.hardening.declare import Target
    from lab.verify.hardening.expect import Expect

TLS = "/etc/pacslab/tls"
LONGEST_DAYS = 398
"""CA/Browser Forum Baseline Requirements 6.3.2."""
LEAST_DAYS = 7
DATE = "date +%s"
SIGNED = f"openssl verify -CAfile {TLS}/ca.crt -CRLfile {TLS}/crl.pem -crl_check_all {TLS}/%s"
MATCH = f"openssl x509 -in {TLS}/%s.crt -noout -pubkey | sha256sum; openssl pkey -in {TLS}/%s.key -pubout | sha256sum"


def described(target: Target) -> Iterable[tuple[str, tuple[str, Certificate]]]:
    return [(name, (name, entry)) for name, entry in target.site.certificates(target.host).items()]


def loaded(host: Host, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(host.file(f"{TLS}/{name}.crt").content_string.encode())


def crt(target: Target) -> str:
    return f"{TLS}/{target.value[0]}.crt"


SELF_SIGNED = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null 2>/dev/null"
FOREIGN = SELF_SIGNED + " -days {days} -subj '{subject}' -out $FILE"
ALL = ("hardening.certificates.*",)
USAGES = {
    ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth",
    ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth",
    ExtendedKeyUsageOID.OCSP_SIGNING: "OCSPSigning",
}


@promise(
    "hardening.certificates.names",
    "Every certificate bears the host's DNS name, and a server's its profile as a name besides; no other.",
    remedy="`pacslab pki rotate`, or `pacslab up --again`.",
    each=described,
    sabotage=changed_file(crt, FOREIGN.format(days=90, subject="/CN=other.invalid"), also=ALL),
)
def test_the_name_is_the_hosts(host: Host, target: Target, subject: tuple[str, Certificate], expect: Expect) -> None:
    found, name = loaded(host, subject[0]), target.site.fqdn(target.host)
    expect.equal([name], [entry.value for entry in found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)], "CN")
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    expect.equal(target.site.names(target.host, subject[1].profile), names.get_values_for_type(x509.DNSName), "SAN")


@promise(
    "hardening.certificates.profiles",
    "Every certificate is of the described profile: a certificate for logs cannot speak DICOM.",
    remedy="`pacslab pki rotate`, or `pacslab up --again`.",
    each=described,
    sabotage=changed_file(crt, FOREIGN.format(days=90, subject="/OU=other/CN=x.invalid"), also=ALL),
)
def test_the_profile_is_the_described_one(host: Host, subject: tuple[str, Certificate], expect: Expect) -> None:
    name, entry = subject
    found = loaded(host, name)
    units = found.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    expect.equal([entry.profile], [unit.value for unit in units], "OU")


@promise(
    "hardening.certificates.use",
    "No host's certificate can sign others, and each is for servers or for clients as its profile says.",
    remedy="`pacslab pki rotate`.",
    each=described,
    sabotage=changed_file(crt, FOREIGN.format(days=90, subject="/CN=x"), also=ALL),
)
def test_no_certificate_can_sign_others(
    host: Host, target: Target, subject: tuple[str, Certificate], expect: Expect
) -> None:
    extensions = loaded(host, subject[0]).extensions
    constraints = extensions.get_extension_for_class(x509.BasicConstraints)
    expect.equal((True, False), (constraints.critical, constraints.value.ca), "BasicConstraints (critical, CA)")
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    expect.equal(
        (True, True, False), (usage.critical, usage.value.digital_signature, usage.value.key_cert_sign), "KeyUsage"
    )
    extended = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    described = certificate_profiles(target.site.catalog)[subject[1].profile].usages
    expect.equal(
        sorted(described), sorted(USAGES.get(one, one.dotted_string) for one in extended), "extended key usage"
    )


@promise(
    "hardening.certificates.keys",
    "Every certificate's key is on curve P-256, and its signature uses SHA-256 or better.",
    remedy="`pacslab pki rotate`.",
    each=described,
    sabotage=changed_file(
        crt,
        "openssl req -x509 -newkey rsa:1024 -nodes -days 90 -keyout /dev/null -subj /CN=x -out $FILE 2>/dev/null",
        also=ALL,
    ),
)
def test_keys_are_strong(host: Host, subject: tuple[str, Certificate], expect: Expect) -> None:
    found = loaded(host, subject[0])
    key = found.public_key()
    strong = isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
    expect.that(strong, "a key on P-256", type(key).__name__)
    algorithm = found.signature_hash_algorithm
    expect.that(
        algorithm is not None and algorithm.digest_size >= 32, "SHA-256 or better", str(algorithm and algorithm.name)
    )  # bytes


@promise(
    "hardening.certificates.valid",
    "Every certificate is valid now, for a week to come, and for no more than 398 days in all.",
    remedy="`pacslab pki rotate`.",
    each=described,
    reads=(DATE,),
    sabotage=changed_file(crt, FOREIGN.format(days=3, subject="/CN=x"), also=ALL),
)
def test_every_certificate_is_valid(host: Host, subject: tuple[str, Certificate], expect: Expect) -> None:
    found = loaded(host, subject[0])
    now = datetime.fromtimestamp(int(host.check_output(DATE)), UTC)
    expect.that(
        found.not_valid_before_utc <= now, f"valid at {now:%Y-%m-%d}", f"valid from {found.not_valid_before_utc}"
    )
    left = (found.not_valid_after_utc - now).days
    expect.that(left >= LEAST_DAYS, f"at least {LEAST_DAYS} days left", f"{left} days left")
    life = (found.not_valid_after_utc - found.not_valid_before_utc).days
    expect.that(life <= LONGEST_DAYS, f"a life of {LONGEST_DAYS} days at most", f"{life} days")


@promise(
    "hardening.certificates.chain",
    "Every certificate chains to the site's root, and is not revoked.",
    remedy="`pacslab pki rotate`; a revoked certificate is replaced with a new key.",
    each=described,
    sabotage=changed_file(crt, FOREIGN.format(days=90, subject="/CN=x"), also=ALL),
)
def test_every_certificate_chains_to_the_root(host: Host, subject: tuple[str, Certificate], expect: Expect) -> None:
    done = host.run(SIGNED, f"{subject[0]}.crt")
    expect.that(done.rc == 0, "a good chain", (done.stdout + done.stderr).strip()[-200:] or "a good chain")


@promise(
    "hardening.certificates.closed-keys",
    "Every private key belongs to the account that its service runs as, and nobody else may read it.",
    remedy="`chown` and `chmod 0600` the key.",
    each=described,
    sabotage=changed_mode(lambda target: f"{TLS}/{target.value[0]}.key", "0640"),
)
def test_keys_are_closed(host: Host, subject: tuple[str, Certificate], expect: Expect) -> None:
    name, entry = subject
    for ending in ("key", "pem"):
        file = host.file(f"{TLS}/{name}.{ending}")
        expect.equal(entry.owner, file.user, f"owner of {name}.{ending}")
        expect.equal("0600", f"{file.mode & 0o7777:04o}", f"mode of {name}.{ending}")


@promise(
    "hardening.certificates.match",
    "Every private key is the certificate's own.",
    remedy="`pacslab up --again`.",
    each=described,
    sabotage=changed_file(
        lambda target: f"{TLS}/{target.value[0]}.key",
        "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out /run/key 2>/dev/null; cat /run/key >$FILE",
    ),
)
def test_every_key_is_its_certificates(host: Host, subject: tuple[str, Certificate], expect: Expect) -> None:
    sums = str(host.check_output(MATCH, subject[0], subject[0])).split()
    expect.equal(sums[0], sums[2], "public key")


@promise(
    "hardening.certificates.only",
    "There is no private key in the host's folder but those of the described certificates.",
    remedy="Remove the key; whoever reads it could speak for its owner.",
    sabotage=Sabotage(
        f"cp -a {TLS}/syslog.key {TLS}/other.key",
        f"rm -f {TLS}/other.key",
        also=("hardening.certificates.authority",),
    ),
    where=has_role("trust"),
)
def test_there_is_no_other_key(host: Host, target: Target, expect: Expect) -> None:
    known = {f"{name}.{ending}" for name in target.site.certificates(target.host) for ending in ("key", "pem")}
    listed = str(host.check_output(f"ls -A {TLS}")).split()
    expect.all_of([name for name in known if name.endswith(".key")], listed, "keys")
    found = [name for name in listed if name.endswith((".key", ".pem")) and name not in known and name != "crl.pem"]
    expect.none(found, "keys beyond the described")


@promise(
    "hardening.certificates.roots",
    "The host trusts the site's root and issuing CA, and their certificates alone are in its list.",
    remedy="Restore ca.crt: `pacslab up --again`.",
    where=has_role("trust"),
    sabotage=changed_file(
        f"{TLS}/ca.crt",
        f"{SELF_SIGNED} -days 9 -subj /CN=foreign >>$FILE",
    ),
)
def test_the_host_trusts_the_sites_authorities_alone(host: Host, expect: Expect) -> None:
    found = x509.load_pem_x509_certificates(host.file(f"{TLS}/ca.crt").content_string.encode())
    expect.equal(2, len(found), "authorities")
    issuers = {entry.issuer.rfc4514_string() for entry in found}
    expect.equal(1, len(issuers), "issuers of authorities")


@promise(
    "hardening.certificates.revocation",
    "The host's revocation lists are both there and current.",
    remedy="`systemctl start pacslab-crl`; see whether the host reaches the service certificate-status.",
    where=has_role("trust"),
    reads=(DATE,),
    sabotage=changed_file(
        f"{TLS}/crl.pem",
        "sed -i '0,/END X509 CRL/{/END X509 CRL/!d}; 0,/END X509 CRL/{/END X509 CRL/d}' $FILE",
        also=("hardening.certificates.chain",),
    ),
)
def test_revocation_lists_are_current(host: Host, expect: Expect) -> None:
    text = host.file(f"{TLS}/crl.pem").content_string
    lists = [
        x509.load_pem_x509_crl(block.encode())
        for block in re.findall(r"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----\n?", text, re.DOTALL)
    ]
    expect.equal(2, len({entry.issuer.rfc4514_string() for entry in lists}), "authorities with a list")
    now = datetime.fromtimestamp(int(host.check_output(DATE)), UTC)
    stale = [
        entry.issuer.rfc4514_string() for entry in lists if not entry.next_update_utc or entry.next_update_utc < now
    ]
    expect.none(stale, "lists past their next update")


@promise(
    "hardening.certificates.lists-only",
    "The file of revocation lists holds lists and nothing else: what reads it would trust a certificate in it.",
    remedy="`systemctl start pacslab-crl` replaces it; find out who wrote there.",
    where=has_role("trust"),
    sabotage=changed_file(
        f"{TLS}/crl.pem",
        f"{SELF_SIGNED} -days 9 -subj /CN=foreign >>$FILE",
    ),
)
def test_the_file_of_revocation_lists_holds_nothing_else(host: Host, expect: Expect) -> None:
    text = host.file(f"{TLS}/crl.pem").content_string
    rest = re.sub(r"-----BEGIN X509 CRL-----\n[A-Za-z0-9+/=\n]+-----END X509 CRL-----\n", "", text)
    expect.none([line[:60] for line in rest.splitlines()], "lines that are of no list")


@promise(
    "hardening.certificates.authority",
    "No host holds a private key anywhere but those of the described certificates: least of all an authority's.",
    remedy="Remove it at once, and replace the authority: `pacslab pki` signs on the machine that runs the lab.",
    reads=(FILES,),
    sabotage=Sabotage(
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -keyout {TLS}/ca.key -subj /CN=x"
        f" -out /dev/null 2>/dev/null",
        f"rm -f {TLS}/ca.key",
        also=("hardening.certificates.only",),
        on=has_role("trust"),
    ),
)
def test_no_host_holds_a_key_of_an_authority(host: Host, target: Target, expect: Expect) -> None:
    known = {f"{TLS}/{name}.key" for name in target.site.certificates(target.host)}
    patterns = tuple(allowed(target).keys)
    found = [
        path
        for path in files(host).keys
        if path not in known and not any(fnmatch(path, pattern) for pattern in patterns)
    ]
    expect.none(found, "keys beyond the described")
