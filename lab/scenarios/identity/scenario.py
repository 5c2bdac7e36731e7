"""Identity and access: everybody tries everything, the policy decides, and each try is on record with a name."""

from __future__ import annotations

from lab.hospital.hospital import Actor
from lab.scenarios.identity.commands import at_the_record, at_the_ris, at_the_workstation
from lab.scenarios.identity.examinations import examine
from lab.scenarios.identity.facts import IdentityFacts
from lab.scenarios.identity.rejection import rejection
from lab.scenarios.identity.time_outs import time_outs
from lab.scenarios.identity.viewer import closed_account, emergency, everybody
from lab.scenarios.identity.visitors import cut, visitor
from lab.scenarios.model import Scenario, Step
from lab.scenarios.refusal import refusal

RECORD, FILLER, READING = Actor("order-placer"), Actor("order-filler"), Actor("reading")

SCENARIO = Scenario(
    name="identity-and-access",
    title="People and what they may do",
    summary="Everybody tries everything, in the viewer and at commands; what the policy lets works, the rest is not.",
    facts=IdentityFacts,
    also=(Actor("acquisition", "CT"), Actor("echocardiography")),
    at_length=True,
    steps=(
        Step(
            "examinations", "A patient is examined in each of two departments", RECORD, "RAD-1 to RAD-8",
            "both are ordered by one clinician, and done in different departments", examine,
        ),
        Step(
            "viewer", "Everybody opens the viewer", READING, "RAD-129, RAD-107",
            "each finds and sees the studies that the policy gives, and no other, by any search or number; on record",
            everybody, ("examinations",),
        ),
        Step(
            "emergency", "A clinician breaks the glass", READING, "RAD-107",
            "one patient is seen, marked as an emergency, with the reason kept; who may not is refused",
            emergency, ("viewer",),
        ),
        Step(
            "workstation", "Everybody marks images and reports", READING, "RAD-24, RAD-29",
            "each may as the policy says; refusals are on record with the person's name",
            at_the_workstation, ("examinations",),
        ),
        Step(
            "record", "Everybody registers, orders and reads reports", RECORD, "RAD-1, RAD-2, RAD-28",
            "each may as the policy says; refusals are on record with the person's name",
            at_the_record, ("workstation",),
        ),
        Step(
            "ris", "Everybody cancels a procedure", FILLER, "RAD-3, RAD-13",
            "each may as the policy says; what was refused stays scheduled; on record with the person's name",
            at_the_ris, ("examinations",),
        ),
        Step(
            "visitor", "Somebody of a partner opens the viewer", READING, "RAD-107",
            "signed in at home, with least rights: the one patient in own treatment is seen; on record by name",
            visitor, ("examinations",),
        ),
        refusal("altered-statement", "abuse.partner-altered", READING, ("visitor",)),
        refusal("replayed-statement", "abuse.partner-replayed", READING, ("visitor",)),
        Step(
            "cut-trust", "The trust in a partner is cut while its person reads", READING, "",
            "within a minute the session is over, and nobody of the partner comes in", cut, ("visitor",),
        ),
        Step(
            "rejection", "Everybody asks for images to be rejected, and decides on it", FILLER, "RAD-66",
            "one asks, another grants, nobody both; then no archive and no viewer has them; on record with names",
            rejection, ("ris",),
        ),
        refusal("password-alone", "abuse.sign-on-password-alone", READING),
        refusal("used-code", "abuse.sign-on-used-code", READING),
        refusal("guessing", "abuse.sign-on-guessing", READING),
        refusal("stolen-session", "abuse.viewer-stolen-session", READING, ("viewer",)),
        refusal("forged-headers", "abuse.viewer-forged-headers", READING, ("viewer",)),
        refusal("past-gateway", "abuse.viewer-past-gateway", READING, ("viewer",)),
        Step(
            "time-outs", "Somebody signs out, before the session would have ended by itself", READING, "",
            "it says when, without use and in any case; asking does not extend it; signing out ends it everywhere",
            time_outs, ("viewer",),
        ),
        Step(
            "closed-account", "An account is closed while its person reads", READING, "",
            "within a minute the session is over, and no new one begins", closed_account, ("viewer",),
        ),
    ),
)  # fmt: skip
