import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.owners.validators import Judgement, Reported, judge, read
from resolvers.runtime import Runtime
from sandbox import FailureKind, Returned, Threw
from tests.resolvers.playing import new_job

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def _truthy(value: Any) -> bool:
    """As JavaScript has it."""
    return isinstance(value, (list, dict)) or bool(value)


@given(json_values)
def test_every_answer_of_a_validator_is_one_of_the_documented_ones(answer: Any) -> None:
    judgement = read(Returned(json.dumps(answer)), '"reported"')
    if isinstance(answer, dict) and isinstance(answer.get("valid"), bool):
        assert judgement.accepted is answer["valid"]
    elif answer is True:
        assert judgement == Judgement(True, '"reported"')
    elif _truthy(answer):
        assert judgement.accepted
        assert json.loads(judgement.value) == answer
    else:
        assert judgement.accepted is False
        assert judgement.reason


@given(json_values)
def test_an_object_that_says_valid_may_bring_another_result(result: Any) -> None:
    judgement = read(Returned(json.dumps({"valid": True, "result": result, "reason": "why"})), '"reported"')
    assert (judgement.accepted, json.loads(judgement.value), judgement.reason) == (True, result, "why")
    assert read(Returned('{"valid": true}'), '"reported"').value == '"reported"'


TRANSIENT = (
    FailureKind.STARVED,
    FailureKind.KILLED,
    FailureKind.USED_UP,
    FailureKind.OVER_QUOTA,
    FailureKind.CIRCUIT_OPEN,
    FailureKind.WITHHELD,
)


@pytest.mark.parametrize("kind", FailureKind)
def test_a_validator_that_fails_turns_down_unless_it_could_not_be_asked(kind: FailureKind) -> None:
    judgement = read(Threw("it failed", kind), "1")
    assert judgement.accepted is (None if kind in TRANSIENT else False)
    assert judgement.reason


def test_a_result_that_can_not_be_stored_is_turned_down_and_stops_nobody_else() -> None:
    deep = "[" * 500 + "]" * 500
    judgement = read(Returned(f'{{"valid": true, "result": {deep}}}'), "1")
    assert judgement.accepted is False
    assert "at most 100 levels" in judgement.reason


async def test_the_validator_sees_the_variable_the_result_and_the_phase(runtime: Runtime) -> None:
    job = await new_job(runtime, validate_result="(variable, result, context) => ({variable, result, context})")
    [result] = await judge(runtime, job, [Reported("[1]", '"two"', '{"phase": "mine", "$a.b": 3}')])
    assert json.loads(result.value) == {
        "variable": [1],
        "result": "two",
        "context": {"phase": "result", "$a.b": 3},
    }


async def test_of_what_a_validator_makes_of_a_variable_only_its_word_is_kept(runtime: Runtime) -> None:
    source = "(variable, result, context) => ({ valid: variable[0] > 0, reason: JSON.stringify([result, context]) })"
    job = await new_job(runtime, validate_result=source)
    asked = [Reported("[1]", None), Reported("[0]", None)]
    reason = '[null,{"phase":"variable"}]'
    assert await judge(runtime, job, asked) == [Judgement(True, "", reason), Judgement(False, "", reason)]
    large = await new_job(runtime, name="Large", validate_result="() => 'x'.repeat(900_000)")
    assert await judge(runtime, large, [Reported("1", None)]) == [Judgement(True, "")]
    assert len((await judge(runtime, large, [Reported("1", "1")]))[0].value) == 900_002


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("() => { throw ''; }", "validate_result: Error: (no message)"),
        ("() => Promise.reject()", "validate_result: threw undefined"),
        ("() => {}", "validate_result returned nothing"),
        ("() => Symbol()", "validate_result: answer: symbol, which JSON cannot carry"),
        ("() => [1, NaN]", "validate_result: answer[1]: NaN, which JSON cannot carry"),
        (
            "() => ({ valid: true, result: new Float64Array(2) })",
            "validate_result: answer.result: Float64Array, which JSON cannot carry",
        ),
    ],
)
async def test_what_a_validator_throws_or_cannot_say_turns_down(runtime: Runtime, source: str, reason: str) -> None:
    job = await new_job(runtime, validate_result=source)
    assert await judge(runtime, job, [Reported("1", "2")]) == [Judgement(False, "2", reason)]


async def test_a_job_without_a_validator_accepts_all(runtime: Runtime) -> None:
    job = await new_job(runtime)
    assert await judge(runtime, job, [Reported("1", "2")]) == [Judgement(True, "2")]
