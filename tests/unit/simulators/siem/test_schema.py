"""The schema is what trang makes of its source, and both of its forms judge alike, but for what XSD 1.0 cannot say."""

from __future__ import annotations

import copy
import random
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from simulators.siem import schema
from simulators.siem.audit_rules import faults
from tests.unit.simulators.siem.samples import NUMBERS, sample

if TYPE_CHECKING:
    from pathlib import Path

MUTATIONS = 6_000
XSD = etree.XMLSchema(etree.parse(schema.XML_SCHEMA))
RNG = etree.RelaxNG(etree.parse(schema.RELAX_NG))
VALUES = ("", "0", "1", "27", "C", "true", "yes", "2026-01-05T09:12:44", "1.2.3", "not base64!", "YQ==", " E ", "-1")


@pytest.mark.parametrize("made", [schema.RELAX_NG, schema.XML_SCHEMA], ids=lambda path: path.suffix)
def test_it_is_what_trang_makes_of_its_source(made: Path, tmp_path: Path) -> None:
    trang = shutil.which("trang")
    if trang is None:
        pytest.skip("trang (Debian's package) is not here")
    subprocess.run([trang, schema.COMPACT, tmp_path / made.name], check=True)
    assert (tmp_path / made.name).read_bytes() == made.read_bytes()


@pytest.mark.parametrize("event", NUMBERS)
def test_a_message_of_each_event_is_let_in(event: str) -> None:
    message = etree.fromstring(sample(event))
    XSD.assertValid(message)
    RNG.assertValid(message)


def test_the_two_forms_judge_alike_but_for_one_thing() -> None:
    chance = random.Random(1)  # noqa: S311 - the same mutations each time
    messages = [etree.fromstring(sample(event)) for event in NUMBERS]
    let_in, alone = 0, 0
    for number in range(MUTATIONS):
        mutated = mutate(messages[number % len(messages)], chance)
        xsd, rng = XSD.validate(mutated), RNG.validate(mutated)
        let_in += rng
        if xsd != rng:
            assert xsd, etree.tostring(mutated)
            assert any("AuditSourceTypeCode has neither or both" in fault for fault in faults(mutated))
            alone += 1
    assert MUTATIONS // 20 < let_in < MUTATIONS * 19 // 20
    assert alone > 0


def mutate(message: etree._Element, chance: random.Random) -> etree._Element:
    """Return a copy in which one thing is another: an attribute, an element, their order, a text."""
    mutated = copy.deepcopy(message)
    where = chance.choice([*mutated.iter("*")])
    kind = chance.randrange(7)
    if kind == 0 and where.attrib:
        del where.attrib[chance.choice(sorted(where.attrib))]
    elif kind == 1 and where.attrib:
        where.set(chance.choice(sorted(where.attrib)), chance.choice(VALUES))
    elif kind == 2:
        where.set(chance.choice(["codeSystemName", "UserName", "unknown", "displayName", "UID"]), chance.choice(VALUES))
    elif kind == 3 and (parent := where.getparent()) is not None:
        parent.remove(where)
    elif kind == 4 and (parent := where.getparent()) is not None:
        parent.append(copy.deepcopy(where))
    elif kind == 5:
        where.text = chance.choice(VALUES)
    elif (parent := where.getparent()) is not None:
        parent.insert(0, where)
    return etree.fromstring(etree.tostring(mutated))
