"""What must hold between the parts of a site; each rule yields a problem for each place where it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.topology.rules import addresses, devices, flows, functions, hosts, mirrors, partners, people, profiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.topology.problems import Problem
    from lab.topology.rules.draft import Draft

RULES: tuple[Callable[[Draft], Iterator[Problem]], ...] = (
    addresses.vlans_differ,
    addresses.subnets_are_usable,
    addresses.subnets_do_not_overlap,
    addresses.hosts_stand_in_their_zone,
    addresses.addresses_differ,
    hosts.site_is_named_as_its_folder,
    hosts.names_are_free,
    hosts.names_fit_a_certificate,
    hosts.zones_exist,
    profiles.profiles_exist,
    profiles.profiles_do_not_take_in_themselves,
    profiles.hosts_have_roles,
    profiles.roles_exist,
    profiles.roles_stand_in_order,
    hosts.one_host_is_the_gateway,
    hosts.ae_titles_differ,
    hosts.services_do_not_clash,
    hosts.certificates_do_not_clash,
    functions.functions_are_brought_by_a_role,
    functions.a_function_is_stated_once,
    devices.settings_are_of_an_image,
    devices.devices_are_no_gateway,
    devices.devices_stand_apart,
    devices.devices_offer_nothing_that_the_lab_reads,
    mirrors.mirrored_zones_exist,
    mirrors.nobody_watches_where_it_stands,
    mirrors.who_needs_a_mirror_has_one,
    people.names_are_free,
    people.roles_are_known,
    people.separate_duties_stay_separate,
    partners.partners_have_a_sign_on,
    partners.sign_ons_have_a_partner,
    partners.partners_have_least_rights,
    flows.selectors_match,
    flows.services_are_offered,
    flows.permits_are_known,
    flows.dicom_needs_ae_titles,
    flows.somebody_is_connected,
)


def check_rules(draft: Draft) -> list[Problem]:
    """Return every problem that the rules find."""
    return [problem for rule in RULES for problem in rule(draft)]
