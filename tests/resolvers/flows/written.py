"""Random flows: jobs as pure functions, conditions in JavaScript with the same meaning in Python, and trees of both."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from hypothesis import strategies as st

from tests.resolvers.flows.model import Condition, Context, Failure, Job, Level

VARIABLES: dict[str, dict[str, Any]] = {
    "number": {"zero": 0, "three": 3},
    "object": {"pair": {"x": 2}, "odd": {"x": 3, "y": []}},
    "other": {"text": "word", "empty": "", "nothing": None, "list": [1]},
    "count": {"only": {"x": 1}},
    "grow": {},
    "flaky": {"one": 1, "two": 2, "pair": {"x": 4}},
    "broken": {"any": "thing"},
    "bare": {},
}
"""The jobs, and their variables by key."""
MOST_DEPTH = 3


def compute(job: str, variable: Any, context: Context) -> tuple[Any, Context]:
    """What each job's function does: the result, and the returned context without it."""
    kept = {name: value for name, value in context.items() if name != "result"}
    chance = _digest(job, variable, context)
    grown = {**kept, "seen": _number(kept.get("seen")) + 1}
    if job == "broken" or (job == "flaky" and chance % 3 == 0):
        raise Failure(job)
    if job == "count":
        return _number(context.get("result")) + 1, kept
    if job in {"object", "grow"}:
        return {name: (chance >> at) % 5 for at, name in enumerate("abcd") if chance >> at & 8}, grown
    if job == "other":
        return [None, True, False, "", "word", [1, {"a": 2}], 1.5][chance % 7], kept
    return chance % 5, grown


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Any) -> Any:
    """The value, or 0 where it is no number."""
    return value if _is_number(value) else 0


def _digest(*parts: Any) -> int:
    return int(hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()[:8], 16)


def _member(value: Any, name: str) -> Any:
    """`value.name`; a Failure where JavaScript throws."""
    if value is None:
        raise Failure("a property of null")
    return value.get(name) if isinstance(value, dict) else None


def _returned(context: Context, name: str) -> Any:
    if name not in context:
        raise Failure("it returned nothing")
    return context[name]


def _throw(variable: Any, context: Context) -> Any:
    raise Failure("no")


ALWAYS = Condition("() => true", lambda variable, context: True)
NEVER = Condition("return 0", lambda variable, context: False)
PLAIN = [
    Condition("(variable) => variable", lambda variable, context: variable),
    Condition(
        "function (variable) { return variable.x % 2 === 0; }",
        lambda variable, context: _is_number(x := _member(variable, "x")) and x % 2 == 0,
    ),
    Condition("variable => variable.y ? true : ''", lambda variable, context: _member(variable, "y") is not None),
    Condition("(variable, context) => context.a", lambda variable, context: _returned(context, "a")),
    Condition(
        "const had = 'b' in context; delete context.b; context.result = 1; return had;",
        lambda variable, context: "b" in context,
    ),
    Condition("async (variable, context) => 'c' in context", lambda variable, context: "c" in context),
]
THROWING = [
    Condition("() => { throw new Error('no'); }", _throw),
    Condition("(variable, context) => context.missing.deep", _throw),
    Condition("(variable, context) => { context.a > 1; }", _throw),
]


def below(most: int) -> Condition:
    return Condition(
        f"(variable, context) => typeof context.result === 'number' && context.result < {most}",
        lambda variable, context: _is_number(context.get("result")) and context["result"] < most,
    )


def _longer(least: int) -> Condition:
    return Condition(f"return Object.keys(context).length > {least}", lambda variable, context: len(context) > least)


def _seen_less(most: int) -> Condition:
    return Condition(
        f"(variable, context) => !(context.seen >= {most})",
        lambda variable, context: not (_is_number(context.get("seen")) and context["seen"] >= most),
    )


small = st.integers(0, 4)
conditions = st.one_of(
    st.sampled_from([ALWAYS, ALWAYS, NEVER, *PLAIN, *THROWING]),
    st.builds(below, small),
    st.builds(_longer, small),
    st.builds(_seen_less, small),
)
repeats = st.one_of(
    st.builds(below, small),
    st.builds(_seen_less, small),
    st.builds(_longer, small),
    st.sampled_from([NEVER, ALWAYS, *PLAIN, *THROWING]),
)


@st.composite
def _jobs(draw: st.DrawFn, quorums: st.SearchStrategy[int]) -> Job:
    key = draw(st.sampled_from(["number", "object", "other", "count", "grow", "number", "object", "flaky", "bare"]))
    if draw(st.integers(0, 30)) == 30:
        key = "broken"
    named = st.sampled_from(sorted(VARIABLES[key])) if VARIABLES[key] else st.none()
    return Job(
        key,
        draw(st.one_of(st.none(), named)),
        condition=draw(st.one_of(st.none(), st.none(), st.none(), conditions)),
        repeat=draw(st.one_of(st.none(), st.none(), repeats)),
        policy={
            "quorum": draw(quorums),
            "max_errors": 2,
            "max_total": 20,
            "max_iterations": draw(st.sampled_from([1, 4, 6, 6])),
        },
    )


@st.composite
def _levels(draw: st.DrawFn, quorums: st.SearchStrategy[int], depth: int = MOST_DEPTH) -> Level:
    jobs = draw(st.lists(_jobs(quorums), min_size=draw(st.integers(1, 3)), max_size=4))
    aliases = draw(st.lists(st.sampled_from(["a", "n", "number-2", "number", "result"]), unique=True, max_size=2))
    jobs = [Job(**{**vars(job), "alias": alias}) for job, alias in zip(jobs, aliases, strict=False)] + jobs[
        len(aliases) :
    ]
    most = draw(st.integers(0, 2)) if depth else 0
    below = draw(st.lists(_levels(quorums, depth - 1), min_size=most // 2, max_size=most))
    return Level(jobs, below)


def levels(*quorums: int) -> st.SearchStrategy[Level]:
    """Root levels whose jobs ask for one of these quorums."""
    return _levels(st.sampled_from(quorums))
