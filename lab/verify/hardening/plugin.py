"""The pytest plugin of hardening checks: parametrises them from the description, and turns outcomes into results."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from lab.errors import PacslabError
from lab.results.model import Observation, Outcome, Result, judged
from lab.verify.hardening.declare import Declared, Target, declared_of
from lab.verify.hardening.expect import Expect, NothingToJudgeError, NotKeptError
from lab.verify.hardening.find import applies

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping

    from testinfra.host import Host

    from lab.topology.site import Site

LONGEST_KEPT = {True: 400, False: 8000}
"""Characters of each thing read that a result keeps: whether it is good -> how many."""
MOST_KEPT = 8
HOSTS_AT_ONCE = 4
ARGUMENT = "target"
REMEDY_OF_MISTAKE = "The check itself did not work: report it with the traceback that the run keeps."


class Machines(Protocol):
    """Where hosts are reached."""

    def host(self, name: str) -> Host:
        """A Testinfra host, by its name in the description."""

    def container(self, name: str) -> Mapping[str, Any] | None:
        """How the engine runs the host; None for a machine that is no container of a lab."""


@dataclass
class Judging:
    """One run of hardening checks.

    Attributes:
        site: The description.
        machines: Where its hosts are reached; called when the first check runs.
        hosts: The hosts to judge.
        wants: Whether an id is to be judged.
        deliver: Takes each result as it comes.
        lists: Lists of what hosts may have beyond those of their roles.
        ahead: Whether to read ahead: False where the machines are not there yet when the checks are collected.
    """

    site: Site
    machines: Callable[[], Machines]
    hosts: list[str]
    wants: Callable[[str], bool]
    deliver: Callable[[Result], None]
    ahead: bool = True
    lists: tuple[str, ...] = ()
    _began: float = field(default=0.0, init=False)

    @cached_property
    def _reached(self) -> Machines:
        return self.machines()

    # --- which checks there are ---------------------------------------------------------------

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test for each host and subject that a check is about."""
        declared = declared_of(metafunc.function)
        if declared is None:
            return
        targets: list[Target] = []
        if self.wants(declared.promise.id):
            targets = applies(metafunc.definition.path, declared).targets(self.site, self.hosts, self.lists)
        names = [f"{target.host}-{target.subject}" if target.subject else target.host for target in targets]
        if ARGUMENT not in metafunc.fixturenames:  # a check that looks at nothing of the host
            metafunc.fixturenames.append(ARGUMENT)
        metafunc.parametrize(ARGUMENT, targets, ids=names)

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out what is not judged: tests that promise nothing, and those without a target."""
        chosen = [item for item in items if _target(item) is not None]
        config.hook.pytest_deselected(items=[item for item in items if _target(item) is None])
        items[:] = chosen

    # --- what they are given ------------------------------------------------------------------

    @pytest.fixture
    def host(self, target: Target) -> Host:
        """The host, as Testinfra sees it."""
        return self._reached.host(target.host)

    @pytest.fixture
    def subject(self, target: Target) -> Any:
        """What the check's ``each`` found."""
        return target.value

    @pytest.fixture
    def container(self, target: Target) -> Mapping[str, Any]:
        """How the engine runs the host."""
        found = self._reached.container(target.host)
        if found is None:
            raise NothingToJudgeError("the machine is no container of a lab")
        return found

    @pytest.fixture
    def expect(self) -> Expect:
        """How the check says what it expects."""
        return Expect()

    # --- running them -------------------------------------------------------------------------

    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Read ahead what the chosen checks will ask, for every host in one round trip."""
        wanted: dict[str, dict[str, None]] = {}
        for item in session.items:
            declared, target = _declared(item), _target(item)
            if declared is not None and target is not None:
                wanted.setdefault(target.host, {}).update(dict.fromkeys(declared.reads_on(target)))

        def read_ahead(host: str) -> None:
            ahead = getattr(self._reached.host(host).backend, "read_ahead", None)  # the stock backends have none
            if ahead is not None:
                with contextlib.suppress(PacslabError):  # each of the host's checks will say so
                    ahead(wanted[host])

        if wanted and self.ahead:
            _ = self._reached
            with ThreadPoolExecutor(max_workers=HOSTS_AT_ONCE) as pool:
                list(pool.map(read_ahead, wanted))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Note when a check began, and what it reads from then on."""
        target = _target(item)
        self._began = time.monotonic()
        if target is not None and self.ahead:
            with contextlib.suppress(PacslabError):
                start_log = getattr(self._reached.host(target.host).backend, "start_log", None)
                if start_log is not None:
                    start_log()
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Deliver a result when a check has run, or could not be begun."""
        report: pytest.TestReport = yield
        declared, target = _declared(item), _target(item)
        if declared is None or target is None:
            return report
        if call.when == "call" or (call.when == "setup" and call.excinfo is not None):
            error = call.excinfo.value if call.excinfo else None
            expect = getattr(item, "funcargs", {}).get("expect") or Expect()
            result = self._result(declared, target, expect, error, str(report.longrepr or ""))
            self.deliver(result.timed(time.monotonic() - self._began))
            if isinstance(error, NothingToJudgeError):  # for who runs pytest
                report.outcome, report.longrepr = "skipped", (str(item.path), 0, f"not applicable: {error}")
        return report

    def _result(
        self, declared: Declared, target: Target, expect: Expect, error: BaseException | None, trace: str
    ) -> Result:
        common: dict[str, Any] = {"subject": target.subject}
        if error is None:
            outcome = Outcome.PASSED
            said = {"expected": _joined(expect.expected), "observed": _joined(expect.observed)}
        elif isinstance(error, NotKeptError):
            outcome = Outcome.FAILED
            said = {"expected": expect.expected[-1], "observed": expect.observed[-1], "remedy": declared.remedy}
        elif isinstance(error, AssertionError):
            outcome = Outcome.FAILED
            said = {"expected": declared.promise.text, "observed": _first_lines(error), "remedy": declared.remedy}
        elif isinstance(error, NothingToJudgeError):
            outcome, said = Outcome.NOT_APPLICABLE, {"reason": str(error)}
        elif isinstance(error, pytest.skip.Exception):
            outcome, said = Outcome.SKIPPED, {"reason": str(error)}
        elif isinstance(error, PacslabError):
            outcome, said = Outcome.ERROR, {"reason": error.message, "remedy": error.remedy}
        else:
            outcome = Outcome.ERROR
            said = {"reason": f"{type(error).__name__}: {_first_lines(error)}", "remedy": REMEDY_OF_MISTAKE}
            common["facts"] = {"traceback": trace}
        good = outcome not in {Outcome.FAILED, Outcome.ERROR}
        return judged(
            declared.promise, target.host, outcome, observations=self._read(target.host, good=good), **common, **said
        )

    def _read(self, host: str, *, good: bool) -> tuple[Observation, ...]:
        try:
            log = getattr(self._reached.host(host).backend, "log", [])
        except PacslabError:
            return ()
        kept = list({reading.command: reading for reading in log}.values())[:MOST_KEPT]
        return tuple(
            Observation(
                _shortened(reading.result, LONGEST_KEPT[good]), f"{reading.command[:300]} on {host}", reading.at
            )
            for reading in kept
        )


def matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Whether an id is wanted by these patterns; without any, every id is."""
    wanted = tuple(patterns)
    return lambda name: not wanted or any(fnmatchcase(name, pattern) for pattern in wanted)


def _declared(item: pytest.Item) -> Declared | None:
    return declared_of(getattr(item, "function", None))


def _target(item: pytest.Item) -> Target | None:
    callspec = getattr(item, "callspec", None)
    found = callspec.params.get(ARGUMENT) if callspec is not None else None
    return found if isinstance(found, Target) else None


def _joined(parts: list[str]) -> str:
    return "; ".join(dict.fromkeys(parts))


def _first_lines(error: BaseException) -> str:
    return " ".join(str(error).split("\n")[:3])[:500]


def _shortened(result: Any, most: int) -> str:
    text = result.stdout_bytes.decode("utf-8", "replace")
    errors = result.stderr_bytes.decode("utf-8", "replace")
    parts = [f"exit code {result.rc}"] if result.rc else []
    parts += [text.rstrip("\n")] + ([errors.rstrip("\n")] if errors.strip() else [])
    joined = "\n".join(parts)
    return joined if len(joined) <= most else f"{joined[:most]}\n... {len(joined)} characters in all"
