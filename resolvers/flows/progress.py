"""How far a flow is, over its leaves: every run of every job counts as one, and so does a job that never ran."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from resolvers.runtime import Runtime
from storage import Flow, FlowState, Level, NodeState

WINDOW_MS = 60_000
ENDED = frozenset({NodeState.COMPLETED, NodeState.FAILED, NodeState.SKIPPED, NodeState.CANCELLED})
REOPENED = (NodeState.CANCELLED, NodeState.FAILED)


@dataclass(frozen=True, slots=True)
class Progress:
    """`by_state` sums to `total`; `fraction` of them have ended. `throughput` is leaves a second that hosts computed in
    the last minute, and `eta_s` what is left at that rate (None: nothing was lately)."""

    total: int
    by_state: Mapping[NodeState, int]
    throughput: float
    eta_s: float | None

    @property
    def ended(self) -> int:
        return sum(count for state, count in self.by_state.items() if state in ENDED)

    @property
    def fraction(self) -> float:
        return self.ended / self.total if self.total else 0.0


async def of_flow(runtime: Runtime, flow: Flow) -> Progress:
    by_state = await _by_state(runtime, {"flow": flow.id})
    if flow.generation and flow.state in (FlowState.RUNNING, FlowState.PAUSED):
        # A retry reopens them after it: they wait already.
        for state in REOPENED if flow.on_failure == "FAIL" else (NodeState.CANCELLED,):
            by_state[NodeState.WAITING] += by_state[state]
            by_state[state] = 0
    if flow.ended:
        throughput = by_state[NodeState.COMPLETED] / max(0.001, (flow.finished_at - flow.created_at) / 1000)
    else:
        window_ms = _window_ms(runtime, flow.created_at)
        ended = await runtime.store.runs.finished_since(runtime.now() - window_ms, flow=flow.id)
        throughput = ended / (window_ms / 1000)
    return _progress(by_state, throughput)


async def of_level(runtime: Runtime, level: Level) -> Progress:
    """As of a flow."""
    by_state = await _by_state(runtime, {"level": level.id})
    if not level.started_at:
        return _progress(by_state, 0.0)
    if level.ended:
        took_s = max(0.001, (level.finished_at - level.started_at) / 1000)
        return _progress(by_state, by_state[NodeState.COMPLETED] / took_s)
    window_ms = _window_ms(runtime, level.started_at)
    ended = await runtime.store.runs.finished_since(runtime.now() - window_ms, flow=level.flow, level=level.id)
    return _progress(by_state, ended / (window_ms / 1000))


async def _by_state(runtime: Runtime, where: dict[str, str]) -> dict[NodeState, int]:
    """Leaves by state. The earlier runs of a `while` are COMPLETED, whatever became of the job."""
    counts = dict.fromkeys(NodeState, 0)
    for state, sums in (await runtime.store.flow_jobs.count_states(where)).items():
        counts[NodeState(state)] += int(sums["count"])
        counts[NodeState.COMPLETED] += int(sums["iteration"])
    return counts


def _window_ms(runtime: Runtime, since: int) -> int:
    """The last minute, or the time since it began."""
    return min(WINDOW_MS, max(1_000, runtime.now() - since))


def _progress(by_state: Mapping[NodeState, int], throughput: float) -> Progress:
    total = sum(by_state.values())
    left = sum(count for state, count in by_state.items() if state not in ENDED)
    eta = 0.0 if not left else left / throughput if throughput else None
    return Progress(total, by_state, throughput, eta)
