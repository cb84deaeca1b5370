"""The picture of a flow that a terminal shows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
from rich.console import Console

from cli.flow_picture import FlowPicture
from comp_pool.flows import FlowUpdate


def _level(number: int, states: Sequence[str], *dependent: dict[str, Any]) -> dict[str, Any]:
    jobs = [{"id": f"{number * 100 + at}", "as": f"job{at}", "state": state} for at, state in enumerate(states)]
    return {"id": str(number), "jobs": jobs, "dependent": list(dependent)}


def _delta(*changed: tuple[int, str], state: str = "RUNNING", waits: Sequence[str] = ()) -> dict[str, Any]:
    return {
        "state": state,
        "progress": {"fraction": 0.25, "total": 8, "throughput": 1.5, "etaSeconds": 4.2},
        "changed": [{"number": number, "state": state, "iteration": 0} for number, state in changed],
        "flow": {"key": "k", "name": "picture", "whyWaiting": [{"message": message} for message in waits]},
    }


def drawn(picture: FlowPicture) -> list[str]:
    console = Console(width=120, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as shown:
        console.print(picture)
    return [line.rstrip() for line in shown.get().splitlines()]


def test_a_picture_shows_levels_with_their_jobs_and_states() -> None:
    picture = FlowPicture()
    assert drawn(picture) == ["waiting for the flow..."]
    tree = _level(0, ["WAITING"], _level(1, ["RUNNING"] * 2 + ["COMPLETED"] * 2), _level(2, ["FAILED", "SKIPPED"]))
    picture.update(FlowUpdate(_delta(waits=["2 tasks being computed"]), tree))
    headline, root, one, two, wait = drawn(picture)
    assert re.fullmatch(r"picture +RUNNING +\S* +25% of 8 +1\.5/s +about 4 s left", headline)
    assert root.endswith(" job0 1 waiting")
    assert one.startswith("├── ")
    assert one.endswith(" job0, job1, job2, ... 2 completed 2 running")
    assert two.startswith("└── ")
    assert two.endswith(" job0, job1 1 failed 1 skipped")
    assert wait == "  2 tasks being computed"
    picture.update(FlowUpdate(_delta((100, "COMPLETED"), (0, "QUEUED"), (999, "FAILED"), state="PAUSED"), None))
    headline, root, one, _ = drawn(picture)
    assert "left" not in headline
    assert root.endswith(" 1 queued")
    assert one.endswith(" 3 completed 1 running")


@pytest.mark.parametrize(("below", "hidden"), [(20, False), (21, True), (500, True)])
@pytest.mark.parametrize("deep", [False, True])
def test_a_picture_shows_twenty_levels_below_the_root_and_says_if_there_are_more(
    below: int, hidden: bool, deep: bool
) -> None:
    if deep:
        root = _level(below, ["WAITING"])
        for number in reversed(range(below)):
            root = _level(number, ["WAITING"], root)
    else:
        root = _level(0, ["WAITING"], *(_level(number, ["WAITING"]) for number in range(1, below + 1)))
    picture = FlowPicture()
    picture.update(FlowUpdate(_delta(), root))
    shown = drawn(picture)
    assert (shown[-1] == "(more levels are not shown)") is hidden
    assert len(shown) == 1 + 21 + hidden
