"""How the demo looks in a terminal."""

from __future__ import annotations

import json

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cli.demo.flow import FlowOutcome
from cli.demo.outcome import Outcome
from cli.demo.state import FLOW_PHASE, State
from comp_pool.schema import Verdict

BAR_WIDTH = 30


def live(state: State) -> RenderableType:
    """The demo while it goes on."""
    head = Text.assemble(
        ("comp-pool demo", "bold"), f"  {state.url}  ", (f"{state.phase}, {state.seconds:.0f} s", "dim")
    )
    parts: list[RenderableType] = [head, "", _jobs(state), "", _volunteers(state)]
    if state.phase == FLOW_PHASE:
        parts += ["", state.flow]
    return Group(*parts)


def plain(state: State) -> str:
    """The same as a line."""
    jobs = ", ".join(f"{job.name} {job.done}/{job.variables}" for job in state.jobs)
    return f"[{state.seconds:4.0f} s] {state.phase}{': ' if jobs else ''}{jobs}"


def _jobs(state: State) -> Table:
    table = Table("Job", "Quorum", "Variables with a canonical result", "", box=None, pad_edge=False)
    for job in state.jobs:
        bar = ProgressBar(total=job.variables, completed=job.done, width=BAR_WIDTH)
        table.add_row(job.name, str(job.quorum), bar, f"{job.done}/{job.variables}")
    return table


def _volunteers(state: State) -> Table:
    table = Table("Volunteer", "Results", "Tasks/s", "", box=None, pad_edge=False)
    for who in state.volunteers:
        remark = Text("adds one to every number", "red") if who.cheats else Text("honest", "green")
        table.add_row(who.name, str(who.tally.submitted), f"{who.tally.mean_rate:.1f}", remark)
    return table


def summary(outcome: Outcome) -> RenderableType:
    """The end of the demo."""
    tables = _job_outcomes(outcome), "", _flow_outcome(outcome.flow), "", _volunteer_outcomes(outcome)
    return Group("", *tables, "", _verdict(outcome))


def _job_outcomes(outcome: Outcome) -> Table:
    table = Table("Job", "Quorum", "Variables", "Results", "Canonical", "Right", box=None, pad_edge=False)
    for job in outcome.jobs:
        right = Text(str(job.correct), "green" if job.correct == job.variables else "red")
        table.add_row(job.name, str(job.quorum), str(job.variables), str(job.results), str(job.decided), right)
    return table


def _flow_outcome(flow: FlowOutcome) -> Text:
    result = Text(json.dumps(flow.result), "green" if flow.is_right else "red")
    return Text.assemble(
        f"Flow: {flow.jobs} jobs, {flow.runs} runs with those of its while, {flow.skipped} skipped by its if: ",
        result,
    )


def _volunteer_outcomes(outcome: Outcome) -> Table:
    table = Table("Volunteer", "Agreed", "Refused", "Too late", "", box=None, pad_edge=False)
    for who in outcome.volunteers:
        remark = Text("cheated, and was outvoted", "red") if who.cheats else Text("honest", "green")
        table.add_row(who.name, str(who.agreed), str(who.refused), str(who.verdicts.get(Verdict.TOO_LATE, 0)), remark)
    return table


def _verdict(outcome: Outcome) -> Text:
    total = sum(job.variables for job in outcome.jobs)
    if outcome.is_right:
        return Text.assemble(
            ("Done", "bold green"),
            f" in {outcome.seconds:.0f} s: {total} of {total} results are those that Python computes itself; "
            f"pi is about {outcome.pi:.4f}.",
        )
    correct = sum(job.correct for job in outcome.jobs)
    return Text.assemble(
        ("Wrong", "bold red"), f": {correct} of {total} results are those that Python computes itself."
    )
