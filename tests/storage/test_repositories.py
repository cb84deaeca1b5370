"""What every engine makes of the repositories: each transition from the states it may leave, and from no other."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from storage import Assignment, Host, Job, Lease, Queue, Result, Store, Task, TaskState, UnitState, Variable, Verdict
from storage.engines import Database
from storage.queues import NEVER

NOW = 1_700_000_000_000
LEASE = Lease("token", "host", NOW, NOW + 1000)


@pytest.fixture
def store(database: Database) -> Store:
    return Store(database)


def _task(name: str = "t", **said: Any) -> Task:
    given: dict[str, Any] = {
        "unit": "var:j:v",
        "job": "j",
        "queue": "queue:variables:j",
        "number": "0",
        "seq": name,
        "rand": 0.5,
    }
    return Task(id=f"var:j:{name}", created_at=NOW, **{**given, **said})


def _variable(key: str = "v", **said: Any) -> Variable:
    given: dict[str, Any] = {"job": "j", "value": "1", "seq": key, "rand": 0.5, "due": NOW, "created_at": NOW}
    return Variable(id=Variable.id_of("j", key), key=key, **{**given, **said})


def _result(number: str = "0", **said: Any) -> Result:
    given: dict[str, Any] = {"unit": "var:j:v", "job": "j", "host": "host", "seq": number, "created_at": NOW}
    return Result(id=f"var:j:v:{number}", number=number, **{**given, **said})


def _job(key: str = "j", **said: Any) -> Job:
    given: dict[str, Any] = {
        "name": key,
        "seq": key,
        "execute_function": "1",
        "execute_body": "return 1",
        "sha256": "0",
    }
    return Job(id=Job.id_of(key), key=key, created_at=NOW, updated_at=NOW, **{**given, **said})


async def test_a_document_comes_back_as_it_was_stored(store: Store) -> None:
    text = '{"$set": {"a.b": 1e400, "ключ": "\\ud83d\\ude00 \\u0000", "id": 12345678901234567890}}'
    variable = _variable(value=text, policy={"quorum": 2, "adaptive": True})
    assert await store.variables.insert(variable)
    assert await store.variables.get(variable.id) == variable
    job = _job(metadata=text, policy={"quorum": 1})
    assert await store.jobs.insert(job)
    assert await store.jobs.get(job.id) == job


async def test_nothing_overwrites_a_document(store: Store) -> None:
    assert await store.tasks.insert(_task(host="first"))
    assert not await store.tasks.insert(_task(host="second"))
    assert await store.tasks.insert_many([_task(host="third"), _task("other")]) == {_task().id}
    assert {task.host for task in (await store.tasks.get_many([_task().id])).values()} == {"first"}
    assert await store.tasks.count({}) == 2


async def test_what_is_not_there_is_none_or_left_out(store: Store) -> None:
    assert await store.tasks.get("var:j:nothing") is None
    assert await store.tasks.get_many([]) == {}
    assert await store.tasks.get_many(["var:j:nothing"]) == {}
    assert not await store.tasks.set("var:j:nothing", {"host": "h"})


async def test_a_list_is_paged_by_seq_either_way(store: Store) -> None:
    await store.variables.insert_many([_variable(f"v{number}") for number in range(5)])
    await store.variables.insert(_variable("other", job="k"))
    first = await store.variables.page({"job": "j"}, first=3)
    assert [each.key for each in first] == ["v0", "v1", "v2"]
    assert [each.key for each in await store.variables.page({"job": "j"}, first=3, after="v2")] == ["v3", "v4"]
    newest = await store.variables.page({"job": "j"}, first=2, newest_first=True)
    assert [each.key for each in newest] == ["v4", "v3"]


async def test_documents_are_counted_by_what_they_say(store: Store) -> None:
    await store.variables.insert_many(
        [_variable("a"), _variable("b", state=UnitState.DONE), _variable("c", state=UnitState.DONE)]
    )
    assert await store.variables.count({"state": UnitState.DONE}) == 2
    assert await store.variables.count({"state": UnitState.FAILED}) == 0
    assert await store.variables.count_by("state", {"job": "j"}) == {"new": 1, "done": 2}


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
    tasks = {state: _task(str(state), status=state, **HELD) for state in TaskState}
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
    await store.tasks.insert(_task())
    [claimed] = await store.tasks.claim([_task().id], LEASE)
    assert (claimed.lease, claimed.host, claimed.leased_at, claimed.until, claimed.attempt) == (
        "token",
        "host",
        NOW,
        NOW + 1000,
        1,
    )
    assert await store.tasks.claim([_task().id], LEASE) == []


@pytest.mark.parametrize("start", [0.0, 0.1, 0.2, 0.5, 0.9, 0.95])
async def test_one_task_is_claimed_wherever_the_search_begins(store: Store, start: float) -> None:
    await store.tasks.insert_many([_task(str(rand), rand=rand) for rand in (0.2, 0.5, 0.9)])
    claimed = await store.tasks.claim_one("queue:variables:j", LEASE, start)
    assert claimed is not None
    assert claimed.rand == next((rand for rand in (0.2, 0.5, 0.9) if rand >= start), 0.2)
    assert await store.tasks.claim_one("queue:variables:other", LEASE, start) is None


async def test_another_token_or_host_changes_nothing(store: Store) -> None:
    task = _task(status=TaskState.LEASED, **HELD)
    await store.tasks.insert(task)
    assert await store.tasks.extend([task.id], "other", NOW) == 0
    assert await store.tasks.release([task.id], "other", until=NOW) == 0
    assert await store.tasks.begin_report([task.id], "other", "host", until=NOW) == 0
    assert await store.tasks.begin_report([task.id], "token", "other", until=NOW) == 0
    assert await store.tasks.get(task.id) == task
    assert await store.tasks.extend([task.id], "token", NOW + 9) == 1


async def test_a_lease_that_still_runs_does_not_expire(store: Store) -> None:
    task = _task(status=TaskState.LEASED, lease="token", host="host", until=NOW)
    await store.tasks.insert(task)
    assert await store.tasks.begin_expiry([task.id], now=NOW, until=NOW) == 0
    assert await store.tasks.begin_expiry([task.id], now=NOW + 1, until=NOW) == 1


async def test_only_an_expired_tasks_own_lease_is_voided(store: Store) -> None:
    task = _task(status=TaskState.EXPIRED, **HELD)
    await store.tasks.insert_many([task, _task("leased", status=TaskState.LEASED, **HELD)])
    assert not await store.tasks.void(task.id, "other")
    assert not await store.tasks.void("var:j:leased", "token")
    assert await store.tasks.void(task.id, "token")
    assert not await store.tasks.void(task.id, "token")


async def test_what_is_overdue_comes_first_due_first_and_0_is_never_due(store: Store) -> None:
    times = {"b": NOW - 1, "a": NOW - 2, "later": NOW, "never": 0}
    await store.tasks.insert_many([_task(name, until=until) for name, until in times.items()])
    assert [task.seq for task in await store.tasks.overdue(TaskState.READY, now=NOW, limit=9)] == ["a", "b"]
    assert [task.seq for task in await store.tasks.overdue(TaskState.READY, now=NOW, limit=1)] == ["a"]
    await store.tasks.postpone(["var:j:a"], TaskState.READY, 0)
    assert [task.seq for task in await store.tasks.overdue(TaskState.READY, now=NOW, limit=9)] == ["b"]


@pytest.mark.parametrize("state", UnitState)
async def test_a_unit_is_decided_or_given_up_once(store: Store, state: UnitState) -> None:
    ended = state not in (UnitState.NEW, UnitState.OPEN)
    unit = _variable(state=state, finished_at=NOW if ended else 0)
    await store.variables.insert(unit)
    assert not await store.variables.decide([unit.id], "3", total=unit.total + 1, by="me", now=NOW)
    decided = await store.variables.decide([unit.id], "3", total=unit.total, by="me", now=NOW + 1)
    assert decided == (0 if ended else 1)
    assert not await store.variables.give_up(unit.id, UnitState.FAILED, "why", NOW + 2)
    current = await store.variables.get(unit.id)
    assert current is not None
    if ended:
        assert current == unit
    else:
        assert (current.state, current.canonical, current.decided_by, current.finished_at) == (
            UnitState.DONE,
            "3",
            "me",
            NOW + 1,
        )


@pytest.mark.parametrize("state", UnitState)
async def test_a_unit_opens_or_is_withdrawn_only_while_it_is_new(store: Store, state: UnitState) -> None:
    opening, leaving = _variable("a", state=state), _variable("b", state=state)
    await store.variables.insert_many([opening, leaving])
    await store.variables.opened([opening.id])
    await store.variables.withdraw([leaving.id])
    current = await store.variables.get_many([opening.id, leaving.id])
    assert current[opening.id].state == (UnitState.OPEN if state == UnitState.NEW else state)
    assert (leaving.id in current) == (state != UnitState.NEW)


async def test_a_total_is_never_lowered(store: Store) -> None:
    await store.variables.insert_many([_variable("a", total=1), _variable("b", total=5)])
    await store.variables.raise_total([_variable("a").id, _variable("b").id], 3)
    found = await store.variables.get_many([_variable("a").id, _variable("b").id])
    assert {unit.key: unit.total for unit in found.values()} == {"a": 3, "b": 5}


async def test_unsolicited_results_are_numbered_from_zero(store: Store) -> None:
    await store.variables.insert(_variable())
    assert [await store.variables.expect_unsolicited(_variable().id) for _ in range(3)] == [0, 1, 2]


async def test_units_that_a_process_left_new_are_found_when_they_are_due(store: Store) -> None:
    await store.variables.insert_many(
        [
            _variable("due", due=NOW - 1),
            _variable("later", due=NOW),
            _variable("open", due=NOW - 1, state=UnitState.OPEN),
        ]
    )
    assert [unit.key for unit in await store.variables.unfinished_business(NOW, 9)] == ["due"]


async def test_a_verdict_changes_once_and_knows_who_changed_it(store: Store) -> None:
    await store.results.insert_many([_result("0"), _result("1", verdict=Verdict.VALID)])
    ids = [_result("0").id, _result("1").id]
    judge = store.results.judge
    assert await judge(ids, Verdict.PENDING, Verdict.INVALID, reason="why", by="me") == 1
    assert await judge(ids, Verdict.PENDING, Verdict.VALID, reason="", by="another") == 0
    found = await store.results.get_many(ids)
    assert [(each.verdict, each.reason, each.judged_by) for each in found.values()] == [
        (Verdict.INVALID, "why", "me"),
        (Verdict.VALID, "", ""),
    ]


async def test_a_validators_late_word_is_stored_once(store: Store) -> None:
    await store.results.insert(_result())
    judged = _result(value="2", digest="d", verdict=Verdict.CANONICAL)
    assert await store.results.settle(judged)
    assert not await store.results.settle(_result(value="3", digest="e"))
    assert await store.results.get(judged.id) == judged


async def test_a_queue_that_was_woken_since_stays_open(store: Store) -> None:
    queue = Queue(id=Queue.id_of("j", "variables"), job="j", kind="variables", oldest_at=NOW)
    await store.queues.insert(queue)
    await store.queues.wake([queue.id], NOW + 5)
    assert not await store.queues.close(queue.id, queue.wake)
    [opened] = await store.queues.open_queues(9)
    assert (opened.wake, opened.oldest_at) == (2, NOW)
    assert await store.queues.close(queue.id, 2)
    assert await store.queues.open_queues(9) == []
    closed = await store.queues.get(queue.id)
    assert closed is not None
    assert closed.oldest_at == NEVER
    await store.queues.wake([queue.id], NOW + 9)
    assert [(each.wake, each.oldest_at) for each in await store.queues.open_queues(9)] == [(3, NOW + 9)]


async def test_an_assignment_moves_only_from_the_lease_it_was_read_with(store: Store) -> None:
    held = Assignment(id=Assignment.id_of("var:j:v", "host"), task="var:j:v:0", lease="old")
    await store.assignments.insert(held)
    assert await store.assignments.move(held, "var:j:v:1", "new")
    assert not await store.assignments.move(held, "var:j:v:2", "newer")
    moved = await store.assignments.get(held.id)
    assert moved is not None
    assert (moved.task, moved.lease) == ("var:j:v:1", "new")


async def test_credit_adds_up_and_blame_ends_a_streak(store: Store) -> None:
    host = Host(id=Host.id_of("h"), seq="h", created_at=NOW, seen_at=NOW, claimed_at=NOW)
    await store.hosts.insert(host)
    await store.hosts.credit(host.id, valid=2, elapsed_ms=30, now=NOW + 5)
    await store.hosts.credit(host.id, valid=1, elapsed_ms=10, now=NOW + 4)
    current = await store.hosts.get(host.id)
    assert current is not None
    assert (current.valid, current.streak, current.elapsed_ms, current.seen_at) == (3, 3, 40, NOW + 5)
    await store.hosts.blame(host.id, invalid=1, failed=2, now=NOW + 6)
    blamed = await store.hosts.get(host.id)
    assert blamed is not None
    assert (blamed.valid, blamed.streak, blamed.invalid, blamed.failed) == (3, 0, 1, 2)
    assert await store.hosts.count_seen_since(NOW + 6) == 1
    assert await store.hosts.count_seen_since(NOW + 7) == 0


async def test_a_job_is_read_at_most_a_second_late_and_never_late_where_it_was_written(database: Database) -> None:
    here, there = Store(database), Store(database)
    await here.jobs.insert(_job())
    for store in (here, there):
        assert (await store.jobs.by_key("j")) is not None
    await here.jobs.set("job:j", {"state": "archived"})
    with database.count() as cost:
        assert (await here.jobs.by_key("j")).state == "archived"  # type: ignore[union-attr]
        assert (await here.jobs.by_key("j")).state == "archived"  # type: ignore[union-attr]
    assert cost.total() == 1


async def test_all_processes_share_one_secret(database: Database) -> None:
    first = await Store(database).secrets.key("hosts")
    assert len(first) == 32
    assert await Store(database).secrets.key("hosts") == first != await Store(database).secrets.key("other")
