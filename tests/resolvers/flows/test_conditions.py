"""What conditions of flows answer, evaluated in real V8 processes."""

from __future__ import annotations

import pytest

from resolvers.flows.conditions import Answer, Question, ask
from resolvers.runtime import Runtime
from storage import Flow

FLOW = Flow(
    id=Flow.id_of("asking"),
    key="asking",
    seq="",
    on_failure="FAIL",
    jobs=1,
    levels=1,
    queues=[],
    due=0,
    created_at=0,
)


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("(variable) => variable", Answer(True)),
        ("() => ''", Answer(False)),
        ("() => Infinity", Answer(True)),
        ("() => new Map()", Answer(True)),
        ("() => {}", Answer(False, "it returned nothing, and must return true or false")),
        ("() => Symbol()", Answer(False, "it returned a symbol, which is neither true nor false")),
        ("() => () => true", Answer(False, "it returned a function, which is neither true nor false")),
        ("() => { throw ''; }", Answer(False, "Error: (no message)")),
        ("() => Promise.reject('')", Answer(False, "Error: (no message)")),
        ("() => { throw null; }", Answer(False, "threw null")),
    ],
)
async def test_a_condition_answers_true_or_false_or_fails(runtime: Runtime, source: str, answer: Answer) -> None:
    assert await ask(runtime, FLOW, [Question(source, "1", "{}")]) == [answer]
