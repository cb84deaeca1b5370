"""The demo's flow: hashes of some elements (map), their sum (reduce), a branch that is skipped, and a square root by
iteration; and what it has to come to, computed without the pool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.demo.expected import string_hash
from comp_pool import PoolClient
from comp_pool.flows import FlowUpdate, watch_flow
from comp_pool.loading import Loader, read_workload
from comp_pool.schema import FlowState

FILE = Path(__file__).parent / "flow_jobs.yaml"
ELEMENTS = 12
CLOSE = 1e-9

FIRST_VARIABLES = """query First($first: Int!) { job(key: "string-hash") { variables(first: $first) {
  nodes { key value }
} } }"""
SUBMIT = """mutation Submit($input: SubmitFlowInput!) { submitFlow(input: $input) {
  flow { key } userErrors { field message code }
} }"""
ENDED = (
    "query Ended($key: String!) { flow(key: $key) { state result jobCount progress { total byState { skipped } } } }"
)


@dataclass(frozen=True, slots=True)
class FlowOutcome:
    """How the flow ended, and what it should have come to. `runs` counts the repeats of its `while` too."""

    state: str
    jobs: int
    runs: int
    skipped: int
    result: Any
    expected: Any

    @property
    def is_right(self) -> bool:
        return self.state == FlowState.COMPLETED and self.result == self.expected and self.skipped == 1


async def run_flow(client: PoolClient, tell: Callable[[FlowUpdate], None]) -> FlowOutcome:
    """Submit the flow and watch it until it has ended; somebody else computes it."""
    await Loader(client, patience_s=0).load(read_workload(FILE.name, FILE.read_text(encoding="utf-8"), FILE.parent))
    variables = (await client.call(FIRST_VARIABLES, first=ELEMENTS))["job"]["variables"]["nodes"]
    key = (await client.mutate(SUBMIT, **_flow(variables)))["flow"]["key"]
    async for update in watch_flow(client, key):
        tell(update)
    flow = (await client.call(ENDED, key=key))["flow"]
    progress = flow["progress"]
    return FlowOutcome(
        state=flow["state"],
        jobs=flow["jobCount"],
        runs=progress["total"],
        skipped=progress["byState"]["skipped"],
        result=flow["result"],
        expected=_expected([variable["value"] for variable in variables]),
    )


def _flow(variables: list[dict[str, Any]]) -> dict[str, Any]:
    hashes = [
        {"job": "string-hash", "variable": variable["key"], "as": variable["value"]["hash"]} for variable in variables
    ]
    reduce = {"jobs": [{"job": "sum"}], "dependent": {"jobs": hashes}}
    root = {
        "job": "square-root",
        "while": f"(variable, context) => Math.abs(context.result.root ** 2 - context.count) > {CLOSE}",
    }
    branch = {"job": "sum", "as": "empty", "if": "(variable, context) => context.count === 0"}
    return {"name": "hash, add up, take the root", "jobs": [root, branch], "dependent": reduce}


def _expected(values: list[dict[str, str]]) -> dict[str, float]:
    total = sum(string_hash(value) for value in values)
    count = len(values)
    estimate = float(count)
    while True:
        estimate = (estimate + count / estimate) / 2
        if abs(estimate**2 - count) <= CLOSE:
            return {"total": total, "root": estimate}
