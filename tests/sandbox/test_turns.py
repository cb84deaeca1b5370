"""Workers are shared in turns, and what one request uses of them has an end."""

import asyncio
import math

import pytest

from sandbox import Allowance, FailureKind, Function, NotRun, Returned, Sandbox, Threw, Wanted
from sandbox.turns import Turns
from tests.sandbox.workers import ECHO, FOREVER, Until, alive, computes

pytestmark = pytest.mark.asyncio(loop_scope="session")

BUSY = Function("const end = Date.now() + 100; while (Date.now() < end); return variable", ("variable",))
LARGE = Function("return 'x'.repeat(900_000)", ("variable",))


async def test_groups_have_turns_and_each_is_in_order() -> None:
    turns, had = Turns(1), list[str]()

    async def take(group: str, name: str) -> None:
        async with turns.of(group):
            had.append(name)
            await asyncio.sleep(0)

    names = [("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1"), ("b", "b2"), ("c", "c1")]
    await asyncio.gather(*(take(*each) for each in names))
    assert had == ["a1", "a2", "b1", "c1", "a3", "b2"]
    assert not turns.others_wait("a")


async def test_who_stops_waiting_takes_nobodys_turn() -> None:
    turns = Turns(1)
    await turns.acquire("a")
    waiting = [asyncio.create_task(turns.acquire(group)) for group in ("b", "c", "d")]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    turns.release("a")
    waiting[1].cancel()  # It has its permit, and does not know yet.
    await waiting[2]
    turns.release("d")
    await turns.acquire("e")


async def test_a_group_without_a_permit_need_not_wait_for_another_that_has_all() -> None:
    turns = Turns(2, extra=1)
    for _ in range(2):
        await turns.acquire("a")
    third = asyncio.create_task(turns.acquire("a"))
    await turns.acquire("b")
    others = [asyncio.create_task(turns.acquire(group)) for group in ("b", "c")]
    await asyncio.sleep(0)
    assert not any(each.done() for each in (third, *others))
    turns.release("b")  # Two are held by "a": what is free again is for those who hold none.
    await others[0]
    turns.release("a")
    await others[1]
    turns.release("a")
    turns.release("b")
    await third


async def test_an_account_need_not_wait_for_the_end_of_anothers_call(until: Until) -> None:
    async with Sandbox(workers=1, spares=1) as sandbox:
        long = asyncio.create_task(sandbox.run(FOREVER, [["1"]], owner="long", timeout_ms=60_000))
        await until(lambda: any(computes(pid) for pid in sandbox.worker_pids))
        assert await sandbox.run(ECHO, [["1"]], owner="short") == [Returned("1")]
        assert not long.done()
        long.cancel()
        await asyncio.gather(long, return_exceptions=True)


async def test_two_accounts_with_much_to_do_leave_turns_to_a_third() -> None:
    async with Sandbox(workers=2, spares=1) as sandbox:
        many = [["1"]] * 200
        greedy = [
            asyncio.create_task(sandbox.run(BUSY, many, owner=f"{account}/{job}", account=account))
            for account in ("one", "two")
            for job in range(3)
        ]
        await asyncio.sleep(0)
        assert await sandbox.run(ECHO, [["1"], ["2"]], owner="three/job", account="three") == [
            Returned("1"),
            Returned("2"),
        ]
        assert not any(task.done() for task in greedy)
        for task in greedy:
            task.cancel()
        await asyncio.gather(*greedy, return_exceptions=True)


async def test_a_run_that_leaves_turns_to_others_is_carried_on() -> None:
    async with Sandbox(workers=1, spares=1) as sandbox:
        long = asyncio.create_task(sandbox.run(BUSY, [[str(at)] for at in range(8)], owner="long"))
        await asyncio.sleep(0)
        assert await sandbox.run(ECHO, [["1"]], owner="short") == [Returned("1")]
        assert not long.done()
        assert await long == [Returned(str(at)) for at in range(8)]


async def test_a_request_uses_no_more_than_it_may(sandbox: Sandbox) -> None:
    allowance = Allowance(0.3)
    outcomes = await sandbox.run(BUSY, [["1"]] * 50, owner="x", allowance=allowance)
    called = [each for each in outcomes if isinstance(each, Returned)]
    assert 1 <= len(called) < 50
    refused = Threw("not called: its request used up 0.3 s of the sandbox", FailureKind.USED_UP)
    assert outcomes[len(called) :] == [refused] * (50 - len(called))
    with pytest.raises(NotRun, match="used up"):
        await sandbox.inspect("x => x", ["x"], allowance=allowance)
    assert await sandbox.run(ECHO, [["1"]], owner="x", allowance=Allowance(1)) == [Returned("1")]


async def test_a_request_gets_no_more_bytes_than_it_may(sandbox: Sandbox) -> None:
    outcomes = await sandbox.run(LARGE, [["1"]] * 40, owner="x", allowance=Allowance(math.inf))
    returned = sum(len(each.json) for each in outcomes if isinstance(each, Returned))
    assert returned < 18 << 20
    assert isinstance(outcomes[-1], Threw)
    assert outcomes[-1].kind is FailureKind.USED_UP


async def test_a_call_that_nobody_waits_for_is_stopped(until: Until) -> None:
    async with Sandbox(workers=1, spares=0) as sandbox:
        [pid] = sandbox.worker_pids
        left = [
            asyncio.create_task(sandbox.run(FOREVER, [["1"]] * 9, owner=owner, timeout_ms=60_000)) for owner in "ab"
        ]
        await until(lambda: computes(pid))
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await until(lambda: not alive(pid))
        assert await sandbox.run(ECHO, [["1"]], owner="c") == [Returned("1")]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("() => true", "true"),
        ("() => 'x'.repeat(900_000)", "true"),
        ("() => ({ valid: true, result: 'x'.repeat(900_000) })", '{"valid":true,"reason":""}'),
        ("async () => ({ valid: false, reason: 'no\\ud800' })", '{"valid":false,"reason":"no\ufffd"}'),
        ("() => ({ valid: 0 })", "true"),
        ("() => 0n", "false"),
        ("() => NaN", "false"),
    ],
)
async def test_of_a_verdict_nothing_else_comes_back(sandbox: Sandbox, source: str, said: str) -> None:
    assert await sandbox.run(Function(source, (), Wanted.VERDICT), [[]], owner="x") == [Returned(said)]


async def test_a_function_may_have_a_limit_of_its_own(sandbox: Sandbox) -> None:
    [outcome] = await sandbox.run(Function("() => 'x'.repeat(100)", (), most_bytes=50), [[]], owner="x")
    assert outcome == Threw("the result is longer than 50 bytes", FailureKind.TOO_LARGE)
