"""What a job's `validate_result` says of a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from resolvers import functions, json_text
from resolvers.errors import PoolError
from resolvers.runtime import Runtime
from sandbox import UNDEFINED, FailureKind, Outcome, Threw, Wanted
from storage import Job


@dataclass(frozen=True, slots=True)
class Judgement:
    """`accepted` is None where the validator could not be asked, because of `unasked`; `value` is the value to store
    (JSON text)."""

    accepted: bool | None
    value: str
    reason: str = ""
    unasked: Threw | None = None

    @property
    def retry_after_s(self) -> int:
        """The seconds after which it can be asked, or 0 where that is not known."""
        return self.unasked.retry_after_s if self.unasked else 0


@dataclass(frozen=True, slots=True)
class Reported:
    """What is judged, as JSON texts: a variable with its result, or one alone (`result` None)."""

    variable: str
    result: str | None
    context: str = "{}"


async def judge(runtime: Runtime, job: Job, reported: Sequence[Reported]) -> list[Judgement]:
    """The validator's word on each, in order. They run in one call of one context; a job without one accepts all."""
    if not reported:
        return []
    if not job.validate_result:
        return [Judgement(True, each.result or "") for each in reported]
    calls = [(each.variable, UNDEFINED if each.result is None else each.result, _phased(each)) for each in reported]
    # Of a variable nothing counts except whether it is taken, however much the function makes of it.
    wanted = None if any(each.result is not None for each in reported) else Wanted.VERDICT
    outcomes = await functions.call(runtime, job, "validate_result", calls, wanted)
    return [read(outcome, each.result or "") for outcome, each in zip(outcomes, reported, strict=True)]


def read(outcome: Outcome, value: str) -> Judgement:
    """A validator's answer: falsy or a throw is invalid, `true` valid, an object with a boolean `valid` says so
    itself, and any other truthy value is valid and replaces `value`."""
    if isinstance(outcome, Threw):
        if outcome.kind.is_transient:
            return Judgement(None, value, outcome.message, outcome)
        if outcome.kind is FailureKind.UNDEFINED:
            return Judgement(False, value, "validate_result returned nothing")
        return Judgement(False, value, f"validate_result: {outcome.message}")
    answer = json_text.parse(outcome.json)
    if answer is True:
        return Judgement(True, value)
    if isinstance(answer, dict) and isinstance(answer.get("valid"), bool):
        reason = str(answer.get("reason") or "")[:500]
        if not answer["valid"]:
            return Judgement(False, value, reason or "validate_result answered valid: false")
        try:
            replaced = json_text.checked(answer["result"], field="its result") if "result" in answer else value
        except PoolError as problem:
            return Judgement(False, value, f"validate_result: {problem.message}")
        return Judgement(True, replaced, reason)
    if functions.is_truthy(outcome):
        return Judgement(True, outcome.json)
    return Judgement(False, value, f"validate_result answered {outcome.json[:80]}")


def _phased(reported: Reported) -> str:
    """The context with `phase`, by which a posted variable differs from a result."""
    phase = "variable" if reported.result is None else "result"
    inner = reported.context.strip()[1:-1].strip()
    return f'{{{inner}{"," if inner else ""}"phase":"{phase}"}}'
