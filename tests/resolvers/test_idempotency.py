"""What one idempotency key stands for is carried out once."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from resolvers.errors import BadInput, IdempotencyMismatch, InProgress
from resolvers.idempotency import Repeatable, once
from resolvers.runtime import Runtime
from resolvers.sweeping.sweep import sweep
from tests.resolvers.playing import Clock

DAY_S = 24 * 3600


class Work:
    """Something to carry out, which answers how often it was."""

    def __init__(self) -> None:
        self.times = 0

    async def __call__(self) -> str:
        self.times += 1
        return f"done {self.times}"


async def ask(
    runtime: Runtime, work: Callable[[], Awaitable[str]], *, scope: str = "here", meaning: object = "x"
) -> str:
    return await once(runtime, Repeatable(scope, "key", lambda: meaning), work, about="job:it")


class Died(BaseException):
    """What nothing that is carried out hears of."""


async def begin_and_die(runtime: Runtime) -> None:
    """A process that ends while it carries the request out."""

    async def die() -> str:
        raise Died

    with pytest.raises(Died):
        await ask(runtime, die)


async def test_the_first_answer_is_given_again(runtime: Runtime) -> None:
    work = Work()
    assert [await ask(runtime, work) for _ in range(3)] == ["done 1"] * 3


async def test_another_scope_is_another_request(runtime: Runtime) -> None:
    work = Work()
    assert await ask(runtime, work) != await ask(runtime, work, scope="there")


async def test_something_else_under_the_key_is_refused(runtime: Runtime) -> None:
    await ask(runtime, Work())
    with pytest.raises(IdempotencyMismatch):
        await ask(runtime, Work(), meaning="y")


async def test_the_order_of_keys_makes_no_other_request(runtime: Runtime) -> None:
    work = Work()
    orders = [{"a": [1, {"b": 2, "c": 3}], "d": 4}, {"d": 4, "a": [1, {"c": 3, "b": 2}]}]
    assert [await ask(runtime, work, meaning=order) for order in orders] == ["done 1"] * 2


async def test_of_many_at_once_one_is_carried_out(runtime: Runtime) -> None:
    work = Work()
    answers = await asyncio.gather(*[ask(runtime, work) for _ in range(20)], return_exceptions=True)
    assert work.times == 1
    assert {answer for answer in answers if isinstance(answer, str)} == {"done 1"}
    assert all(isinstance(answer, str | InProgress) for answer in answers)


async def test_a_request_that_failed_is_carried_out_again(runtime: Runtime) -> None:
    async def fail() -> str:
        raise BadInput("no")

    with pytest.raises(BadInput):
        await ask(runtime, fail)
    assert await ask(runtime, Work(), meaning="y") == "done 1"


async def test_what_a_dead_process_left_is_carried_out_again_once_that_is_taken_for_dead(
    runtime: Runtime, clock: Clock
) -> None:
    work = Work()
    await begin_and_die(runtime)
    with pytest.raises(InProgress):
        await ask(runtime, work)
    clock.advance(runtime.takeover_ms / 1000 + 1)
    assert await ask(runtime, work) == "done 1"


async def test_answers_are_forgotten_after_a_day(runtime: Runtime, clock: Clock) -> None:
    work = Work()
    await ask(runtime, work)
    clock.advance(DAY_S - 1)
    await sweep(runtime)
    assert await ask(runtime, work) == "done 1"
    clock.advance(2)
    await sweep(runtime)
    assert await runtime.store.requests.count({}) == 0
    assert await ask(runtime, work) == "done 2"
