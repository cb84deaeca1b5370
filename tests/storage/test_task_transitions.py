"""A task leaves the states that it may leave, and no other; each change is of one lease."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from storage import Store, TaskState
from tests.storage.documents import LEASE, NOW, make_task

Transition = Callable[[Store, str], Awaitable[object]]
HELD: dict[str, Any] = {"lease": "token", "host": "host", "until": NOW - 1, "attempt": 1}
TRANSITIONS: dict[str, tuple[TaskState, TaskState, Transition]] = {
    "claim": (TaskState.READY, TaskState.LEASED, lambda store, task: store.tasks.claim([task], LEASE)),
    "release": (
        TaskState.LEASED,
        TaskState.READY,
        lambda store, task: store.tasks.release([task], "token", until=NOW),
    ),
    "begin_report": (
        TaskState.LEASED,
        TaskState.REPORTING,
        lambda store, task: store.tasks.begin_report([task], "token", "host", until=NOW),
    ),
    "begin_late_report": (
        TaskState.EXPIRED,
        TaskState.REPORTING,
        lambda store, task: store.tasks.begin_report([task], "token", "host", until=NOW, frm=TaskState.EXPIRED),
    ),
    "begin_expiry": (
        TaskState.LEASED,
        TaskState.EXPIRING,
        lambda store, task: store.tasks.begin_expiry([task], now=NOW, until=NOW),
    ),
    "abandon_report": (
        TaskState.REPORTING,
        TaskState.EXPIRING,
        lambda store, task: store.tasks.abandon_report([task], now=NOW, until=NOW),
    ),
    "finish_report": (
        TaskState.REPORTING,
        TaskState.REPORTED,
        lambda store, task: store.tasks.finish([task], TaskState.REPORTING, TaskState.REPORTED),
    ),
    "finish_expiry": (
        TaskState.EXPIRING,
        TaskState.EXPIRED,
        lambda store, task: store.tasks.finish([task], TaskState.EXPIRING, TaskState.EXPIRED),
    ),
    "cancel_ready": (TaskState.READY, TaskState.CANCELLED, lambda store, task: store.tasks.cancel_ready([task])),
    "cancel_held": (TaskState.HELD, TaskState.CANCELLED, lambda store, task: store.tasks.cancel_held([task])),
    "hold": (TaskState.LEASED, TaskState.HELD, lambda store, task: store.tasks.hold([task], "token", until=NOW)),
}


@pytest.mark.parametrize("name", TRANSITIONS)
async def test_a_task_leaves_the_states_it_may_leave_and_no_other(store: Store, name: str) -> None:
    leaves, reaches, transition = TRANSITIONS[name]
    tasks = {state: make_task(str(state), status=state, **HELD) for state in TaskState}
    await store.tasks.insert_many(list(tasks.values()))
    for state, task in tasks.items():
        changed = await transition(store, task.id)
        current = await store.tasks.get(task.id)
        assert current is not None
        if state == leaves:
            assert current.status == reaches
            assert changed != 0 if changed is not None else True
        else:
            assert current == task
            assert not changed


async def test_a_claim_grants_the_lease_and_counts_the_attempt(store: Store) -> None:
    await store.tasks.insert(make_task())
    [claimed] = await store.tasks.claim([make_task().id], LEASE)
    assert (claimed.lease, claimed.host, claimed.leased_at, claimed.until, claimed.attempt) == (
        "token",
        "host",
        NOW,
        NOW + 1000,
        1,
    )
    assert await store.tasks.claim([make_task().id], LEASE) == []


@pytest.mark.parametrize("start", [0.0, 0.1, 0.2, 0.5, 0.9, 0.95])
async def test_one_task_is_claimed_wherever_the_search_begins(store: Store, start: float) -> None:
    await store.tasks.insert_many([make_task(str(rand), rand=rand) for rand in (0.2, 0.5, 0.9)])
    claimed = await store.tasks.claim_one("queue:variables:j", LEASE, start)
    assert claimed is not None
    assert claimed.rand == next((rand for rand in (0.2, 0.5, 0.9) if rand >= start), 0.2)
    assert await store.tasks.claim_one("queue:variables:other", LEASE, start) is None


async def test_another_token_or_host_changes_nothing(store: Store) -> None:
    task = make_task(status=TaskState.LEASED, **HELD)
    await store.tasks.insert(task)
    assert await store.tasks.extend([task.id], "other", NOW) == 0
    assert await store.tasks.release([task.id], "other", until=NOW) == 0
    assert await store.tasks.begin_report([task.id], "other", "host", until=NOW) == 0
    assert await store.tasks.begin_report([task.id], "token", "other", until=NOW) == 0
    assert await store.tasks.get(task.id) == task
    assert await store.tasks.extend([task.id], "token", NOW + 9) == 1


async def test_a_lease_that_still_runs_does_not_expire(store: Store) -> None:
    task = make_task(status=TaskState.LEASED, lease="token", host="host", until=NOW)
    await store.tasks.insert(task)
    assert await store.tasks.begin_expiry([task.id], now=NOW, until=NOW) == 0
    assert await store.tasks.begin_expiry([task.id], now=NOW + 1, until=NOW) == 1


async def test_only_an_expired_tasks_own_lease_is_voided(store: Store) -> None:
    task = make_task(status=TaskState.EXPIRED, **HELD)
    await store.tasks.insert_many([task, make_task("leased", status=TaskState.LEASED, **HELD)])
    assert not await store.tasks.void(task.id, "other")
    assert not await store.tasks.void("var:j:leased", "token")
    assert await store.tasks.void(task.id, "token")
    assert not await store.tasks.void(task.id, "token")


async def test_what_is_overdue_comes_first_due_first_and_0_is_never_due(store: Store) -> None:
    times = {"b": NOW - 1, "a": NOW - 2, "later": NOW, "never": 0}
    await store.tasks.insert_many([make_task(name, until=until) for name, until in times.items()])
    assert [task.seq for task in await store.tasks.overdue(TaskState.READY, now=NOW, limit=9)] == ["a", "b"]
    assert [task.seq for task in await store.tasks.overdue(TaskState.READY, now=NOW, limit=1)] == ["a"]
    await store.tasks.postpone(["var:j:a"], TaskState.READY, 0)
    assert [task.seq for task in await store.tasks.overdue(TaskState.READY, now=NOW, limit=9)] == ["b"]
