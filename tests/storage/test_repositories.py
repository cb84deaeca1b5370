"""What every engine makes of the repositories: documents, queues, assignments and credit."""

from storage import Assignment, Host, Queue, Store, UnitState
from storage.engines import Database
from storage.queues import NEVER
from tests.storage.documents import NOW, make_job, make_task, make_variable


async def test_a_document_comes_back_as_it_was_stored(store: Store) -> None:
    text = '{"$set": {"a.b": 1e400, "ключ": "\\ud83d\\ude00 \\u0000", "id": 12345678901234567890}}'
    variable = make_variable(value=text, policy={"quorum": 2, "adaptive": True})
    assert await store.variables.insert(variable)
    assert await store.variables.get(variable.id) == variable
    job = make_job(metadata=text, policy={"quorum": 1})
    assert await store.jobs.insert(job)
    assert await store.jobs.get(job.id) == job


async def test_nothing_overwrites_a_document(store: Store) -> None:
    assert await store.tasks.insert(make_task(host="first"))
    assert not await store.tasks.insert(make_task(host="second"))
    assert await store.tasks.insert_many([make_task(host="third"), make_task("other")]) == {make_task().id}
    assert {task.host for task in (await store.tasks.get_many([make_task().id])).values()} == {"first"}
    assert await store.tasks.count({}) == 2


async def test_what_is_not_there_is_none_or_left_out(store: Store) -> None:
    assert await store.tasks.get("var:j:nothing") is None
    assert await store.tasks.get_many([]) == {}
    assert await store.tasks.get_many(["var:j:nothing"]) == {}
    assert not await store.tasks.set("var:j:nothing", {"host": "h"})


async def test_a_list_is_paged_by_seq_either_way(store: Store) -> None:
    await store.variables.insert_many([make_variable(f"v{number}") for number in range(5)])
    await store.variables.insert(make_variable("other", job="k"))
    first = await store.variables.page({"job": "j"}, first=3)
    assert [each.key for each in first] == ["v0", "v1", "v2"]
    assert [each.key for each in await store.variables.page({"job": "j"}, first=3, after="v2")] == ["v3", "v4"]
    newest = await store.variables.page({"job": "j"}, first=2, newest_first=True)
    assert [each.key for each in newest] == ["v4", "v3"]


async def test_documents_are_counted_by_what_they_say(store: Store) -> None:
    await store.variables.insert_many(
        [make_variable("a"), make_variable("b", state=UnitState.DONE), make_variable("c", state=UnitState.DONE)]
    )
    assert await store.variables.count({"state": UnitState.DONE}) == 2
    assert await store.variables.count({"state": UnitState.FAILED}) == 0
    assert await store.variables.count_by("state", {"job": "j"}) == {"new": 1, "done": 2}


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
    await here.jobs.insert(make_job())
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
