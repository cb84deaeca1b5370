"""A flow drawn as text: a tree of its levels with a bar each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from comp_pool import FlowUpdate
from comp_pool.schema import ENDED_NODE_STATES, FlowNodeState, FlowState

COLOURS: dict[str, str] = {
    FlowNodeState.COMPLETED: "green",
    FlowNodeState.RUNNING: "cyan",
    FlowNodeState.QUEUED: "blue",
    FlowNodeState.FAILED: "red",
    FlowNodeState.CANCELLED: "yellow",
}
MOST_LEVELS = 20
BAR_WIDTH = 24


@dataclass(slots=True)
class _Level:
    number: str
    jobs: dict[int, str] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    below: list[_Level] = field(default_factory=list)


class FlowPicture:
    """What is known of a flow from its updates, and how it looks."""

    def __init__(self) -> None:
        self._root: _Level | None = None
        self._home: dict[int, _Level] = {}
        self._levels = 0
        self._delta: dict[str, Any] = {}

    def update(self, update: FlowUpdate) -> None:
        self._delta = update.delta
        if update.tree is not None:
            self._home = {}
            self._root = self._read(update.tree)
        for job in update.delta["changed"]:
            if job["number"] in self._home:
                self._home[job["number"]].jobs[job["number"]] = job["state"]

    def _read(self, tree: dict[str, Any]) -> _Level:
        root = _Level(tree["id"])
        waiting = [(root, tree)]
        self._levels = 0
        while waiting:
            level, told = waiting.pop()
            self._levels += 1
            for job in told["jobs"]:
                level.jobs[int(job["id"])] = job["state"]
                level.names.append(job["as"])
                self._home[int(job["id"])] = level
            for below in told["dependent"]:
                child = _Level(below["id"])
                level.below.append(child)
                waiting.append((child, below))
        return root

    def __rich__(self) -> RenderableType:
        if not self._delta:
            return Text("waiting for the flow...")
        parts: list[RenderableType] = [_headline(self._delta)]
        if self._root is not None:
            tree = Tree(_line(self._root), guide_style="dim")
            self._grow(tree, self._root, MOST_LEVELS)
            parts.append(tree)
            if self._levels > 1 + MOST_LEVELS:
                parts.append(Text("(more levels are not shown)", style="dim"))
        parts += [Text(f"  {each['message']}", style="dim") for each in self._delta["flow"]["whyWaiting"]]
        return Group(*parts)

    def _grow(self, tree: Tree, level: _Level, left: int) -> int:
        """Draw the levels below one, at most `left` of them; how many more may be drawn."""
        for below in level.below:
            if left == 0:
                return 0
            left = self._grow(tree.add(_line(below)), below, left - 1)
        return left


def _headline(delta: dict[str, Any]) -> RenderableType:
    progress = delta["progress"]
    eta = progress["etaSeconds"]
    table = Table.grid(padding=(0, 1))
    table.add_row(
        Text(delta["flow"]["name"] or f"flow {delta['flow']['key']}", style="bold"),
        Text(delta["state"], style=COLOURS.get(delta["state"], "")),
        ProgressBar(total=1.0, completed=progress["fraction"], width=BAR_WIDTH),
        f"{progress['fraction']:.0%} of {progress['total']:,}",
        f"{progress['throughput']:.1f}/s",
        "" if eta is None or delta["state"] != FlowState.RUNNING else f"about {eta:.0f} s left",
    )
    return table


def _line(level: _Level) -> RenderableType:
    counts = Counter(level.jobs.values())
    ended = sum(counts[state] for state in ENDED_NODE_STATES)
    names = ", ".join(level.names[:3]) + (", ..." if len(level.names) > 3 else "")
    states = Text()
    for state, count in sorted(counts.items()):
        states.append(f"{count} {state.lower()} ", style=COLOURS.get(state, "dim"))
    table = Table.grid(padding=(0, 1))
    total = max(1, len(level.jobs))
    table.add_row(ProgressBar(total=total, completed=ended, width=BAR_WIDTH), Text(names), states)
    return table
