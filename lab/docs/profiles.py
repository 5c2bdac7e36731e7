"""The generated table of ``docs/pki.md``: certificate profiles, as roles declare them."""

from __future__ import annotations

from lab.topology.catalog import certificate_profiles, load_catalog


def profiles_table() -> str:
    """Return each profile with its usages, the roles that declare it, and those that use it."""
    catalog = load_catalog()
    rows = []
    for name, profile in sorted(certificate_profiles(catalog).items()):
        declared = [role for role, meta in catalog.items() if name in meta.certificate_profiles]
        used = [
            role
            for role, meta in catalog.items()
            if any(certificate.profile == name for certificate in meta.certificates.values())
        ]
        rows.append(f"| `{name}` | {', '.join(profile.usages)} | {', '.join(declared)} | {', '.join(used)} |")
    head = ["| profile (OU) | extended key usage | declared by | used by |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *rows, ""])
