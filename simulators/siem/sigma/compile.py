"""Makes Python of rules: one function for each kind of event and action, in which only rules that can match stand.

A field is fetched once and lowered once. Which rules can match an event of an action is known when they are compiled,
so an event is compared with few of them. What is generated is built of names and constants alone: no text of a rule
is ever part of the source.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from simulators.siem.fields import FIELDS, Kind
from simulators.siem.sigma.model import AllOf, Comparison, Not, OneOf, Op, Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from simulators.siem.fields import Fields
    from simulators.siem.sigma.model import Node

ACTION = "event.action"


class Compiled:
    """Rules as functions, made when the first event of a kind and an action comes."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        """Take rules; :meth:`matches` tells them by their place here."""
        self.rules = tuple(rules)
        self._functions: dict[tuple[str, str], Callable[[Fields], Sequence[int]]] = {}
        words = {word for rule in rules for word in actions_of(rule.node) or ()}
        self._words = frozenset(words)

    def matches(self, fields: Fields) -> Sequence[int]:
        """Return the places of the rules that an event matches."""
        action = fields.get(ACTION)
        word = action.lower() if isinstance(action, str) else ""
        key = (str(fields.get("event.dataset")), word if word in self._words else "")
        function = self._functions.get(key)
        if function is None:
            function = self._functions[key] = self._function(*key)
        return function(fields)

    def _function(self, dataset: str, word: str) -> Callable[[Fields], Sequence[int]]:
        places = [
            (place, rule.node)
            for place, rule in enumerate(self.rules)
            if dataset in rule.datasets and ((words := actions_of(rule.node)) is None or word in words)
        ]
        return function_of(places) if places else _nothing


def _nothing(_fields: Fields) -> Sequence[int]:
    return ()


def actions_of(node: Node) -> frozenset[str] | None:
    """Return the actions that an event needs to have one of, ``None`` where that is not known."""
    if isinstance(node, Comparison):
        return frozenset({node.value}) if node.field == ACTION and node.op is Op.EQUALS else None
    if isinstance(node, AllOf):
        known = [words for part in node.parts if (words := actions_of(part)) is not None]
        return frozenset.intersection(*known) if known else None
    if isinstance(node, OneOf):
        parts = [actions_of(part) for part in node.parts]
        return None if any(words is None for words in parts) else frozenset().union(*(words or () for words in parts))
    return None


def function_of(places: Iterable[tuple[int, Node]]) -> Callable[[Fields], Sequence[int]]:
    """Return a function that yields the places of the nodes that an event matches."""
    source = _Source()
    lines = [f"    if {source.expression(node)}: found.append({place})" for place, node in places]
    text = "\n".join(
        ["def judge(fields):", "    get = fields.get", *source.fetches(), "    found = []", *lines, "    return found"]
    )
    names: dict[str, Any] = dict(source.constants)
    exec(compile(text, "<rules>", "exec"), names)  # noqa: S102 - names and numbers of our own making
    function: Callable[[Fields], Sequence[int]] = names["judge"]
    return function


def lowered(value: Any) -> str | None:
    """Return a value as text in lower case, None where there is none."""
    return value.lower() if isinstance(value, str) else None if value is None else str(value).lower()


def texted(value: Any) -> str | None:
    """Return a value as text, None where there is none."""
    return value if isinstance(value, str) or value is None else str(value)


def within(value: Any, network: Any) -> bool:
    """Whether a value is an address of a network."""
    try:
        return ipaddress.ip_address(value) in network
    except ValueError:
        return False


class _Source:
    """Collects the fields that are needed and the constants that they are compared with."""

    def __init__(self) -> None:
        self.constants: dict[str, Any] = {
            "lowered": lowered, "texted": texted, "within": within, "numeric": (int, float),
        }  # fmt: skip
        self._lowered: dict[str, str] = {}
        self._texted: dict[str, str] = {}
        self._plain: dict[str, str] = {}

    def fetches(self) -> list[str]:
        """Lines that fetch each field once."""
        plain = [f"    {name} = get({self._constant(field)})" for field, name in self._plain.items()]
        made = [(self._lowered, "lowered"), (self._texted, "texted")]
        rest = [
            f"    {name} = {how}(get({self._constant(field)}))" for names, how in made for field, name in names.items()
        ]
        return plain + rest

    def _constant(self, value: Any) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return name

    def _fetched(self, field: str, names: dict[str, str], letter: str) -> str:
        return names.setdefault(field, f"{letter}{len(names)}")

    def expression(self, node: Node) -> str:
        """The source of a node."""
        if isinstance(node, Comparison):
            return self._test(node)
        if isinstance(node, Not):
            return f"(not {self.expression(node.part)})"
        if isinstance(node, OneOf) and (merged := _merged(node)) is not None:
            return self._test(merged)
        joined = " and " if isinstance(node, AllOf) else " or "
        return f"({joined.join(self.expression(part) for part in node.parts)})"

    def _test(self, test: Comparison) -> str:
        if test.op is Op.EXISTS:
            return f"({self._fetched(test.field, self._plain, 'p')} is not None)"
        if test.op is Op.SAME:
            return self._same(test)
        kind = FIELDS[test.field].kind
        if kind in {Kind.LONG, Kind.FLOAT, Kind.BOOLEAN}:
            return self._number(test)
        cased = test.op in {Op.CASED, Op.MATCHES, Op.LIKE, Op.CIDR}
        form = _IN if isinstance(test.value, frozenset) else _TEXT[test.op]
        constant = self._constant(test.value)
        if kind is Kind.KEYWORDS:
            name = self._fetched(test.field, self._plain, "p")
            inner = form.format(value=f"{'texted' if cased else 'lowered'}(one)", constant=constant)
            return f"({name} is not None and any({inner} for one in {name}))"
        name = self._fetched(test.field, *((self._texted, "t") if cased else (self._lowered, "l")))
        return f"({name} is not None and {form.format(value=name, constant=constant)})"

    def _same(self, test: Comparison) -> str:
        one = self._fetched(test.field, self._lowered, "l")
        other = self._fetched(str(test.value), self._lowered, "l")
        return f"({one} is not None and {one} == {other})"

    def _number(self, test: Comparison) -> str:
        name = self._fetched(test.field, self._plain, "p")
        constant = self._constant(test.value)
        if test.op is Op.EQUALS:
            return f"({name} {'in' if isinstance(test.value, frozenset) else '=='} {constant})"
        return f"(type({name}) in numeric and {name} {_COMPARED[test.op]} {constant})"


def _merged(node: OneOf) -> Comparison | None:
    """Several whole values of one field become one look-up."""
    tests = [part for part in node.parts if isinstance(part, Comparison) and part.op is Op.EQUALS]
    if len(tests) == len(node.parts) and len({test.field for test in tests}) == 1:
        return Comparison(tests[0].field, Op.EQUALS, frozenset(test.value for test in tests))
    return None


_COMPARED = {Op.GT: ">", Op.GTE: ">=", Op.LT: "<", Op.LTE: "<="}
_IN = "{value} in {constant}"
_TEXT = {
    Op.EQUALS: "{value} == {constant}",
    Op.CASED: "{value} == {constant}",
    Op.CONTAINS: "{constant} in {value}",
    Op.STARTS: "{value}.startswith({constant})",
    Op.ENDS: "{value}.endswith({constant})",
    Op.MATCHES: "{constant}.search({value}) is not None",
    Op.LIKE: "{constant}.fullmatch({value}) is not None",
    Op.CIDR: "within({value}, {constant})",
}
