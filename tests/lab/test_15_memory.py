"""A host that wants more memory than its roles may take is not given it, and the hospital goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.engine.memory import MEGABYTE
from tests.lab_commands import pacslab, until

if TYPE_CHECKING:
    from lab.engine.lab import Lab

WANTS = "import sys; kept = [bytearray(1 << 20) for _ in range(int(sys.argv[1]))]; print(len(kept))"
KILLED = 128 + 9


def test_what_a_host_may_take_it_gets_and_more_it_does_not(lab: Lab) -> None:
    host = "guest1"
    most = lab.site.memory(host).most
    fits = lab.run(host, ["python3", "-c", WANTS, str(most // 2)])
    assert (fits.code, fits.stdout) == (0, f"{most // 2}\n")
    too_much = lab.run(host, ["python3", "-c", WANTS, str(2 * most)])
    assert (too_much.code, too_much.stdout) == (KILLED, "")
    told = lab.docker.inspect(lab.container(host))
    assert told["HostConfig"]["Memory"] == most * MEGABYTE
    assert told["State"]["Running"]
    assert until(lambda: all(known.healthy for known in lab.health().values()))


def test_a_limit_that_is_gone_is_seen_and_told_how_to_restore(clone: Lab) -> None:
    host = "guest1"
    four_times = 4 * clone.site.memory(host).most * MEGABYTE
    update = f"/containers/{clone.container(host)}/update"
    clone.docker.call("POST", update, body={"Memory": four_times, "MemorySwap": four_times})
    ran = pacslab("verify", "--id", "containment.memory", "--lab", clone.name, "--json")
    assert ran.code == 1
    (failed,) = ran.json["failed"]
    assert (failed["id"], failed["host"]) == ("containment.memory", host)
    assert "pacslab up" in failed["remedy"]
