"""`if(variable, context)` and `while(variable, context)`: the owner's conditions, evaluated in the sandbox.

After a crash one may be evaluated again, and only one answer counts: they must be pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from resolvers import functions
from resolvers.access.review import is_flow_approved
from resolvers.runtime import Runtime
from sandbox import FailureKind, Outcome, Threw
from storage import Flow


@dataclass(frozen=True, slots=True)
class Question:
    """A condition's source with its arguments as JSON texts."""

    source: str
    variable: str
    context: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether the condition holds, or the problem that makes its job fail; `unanswered`: why it can't be evaluated
    now, whereas others of the same flow could."""

    holds: bool
    problem: str | None = None
    unanswered: str = ""


async def ask(runtime: Runtime, flow: Flow, questions: Sequence[Question]) -> list[Answer]:
    """The answers to a flow's questions, in order; those of one source are put in one call.

    Each is worth keeping: a flow whose conditions kill their workers gets only a few answers at a time.
    """
    if questions and not await is_flow_approved(runtime, flow):
        return [Answer(False, unanswered=waiting_for_account(flow))] * len(questions)
    by_source: dict[str, list[int]] = defaultdict(list)
    for at, question in enumerate(questions):
        by_source[question.source].append(at)
    answers: dict[int, Answer] = {}
    for source, places in by_source.items():
        calls = [(questions[at].variable, questions[at].context) for at in places]
        function = functions.callable_as("if", source)
        outcomes = await functions.call_as(runtime, function, calls, account=flow.account, key=flow.key)
        answers |= {at: read(outcome) for at, outcome in zip(places, outcomes, strict=True)}
    return [answers[at] for at in range(len(questions))]


def waiting_for_account(flow: Flow) -> str:
    """Why the conditions of a flow are not evaluated."""
    return f"its conditions wait for the approval of the account {flow.account!r} by the pool's operator"


def read(outcome: Outcome) -> Answer:
    """JavaScript's truth of what a condition returned."""
    if problem := functions.unavailable(outcome):
        return Answer(False, unanswered=f"a condition can't be evaluated now: {problem}")
    if isinstance(outcome, Threw):
        if outcome.kind is FailureKind.UNDEFINED:
            return Answer(False, "it returned nothing, and must return true or false")
        return Answer(False, outcome.message)
    return Answer(functions.is_truthy(outcome))
