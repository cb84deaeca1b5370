import hashlib

import pytest

from resolvers.errors import AlreadyExists, BadInput, IdempotencyMismatch, NotFound, TooLarge, UnparsableJavaScript
from resolvers.owners import jobs
from resolvers.runtime import Runtime
from storage import JobState, Store
from tests.resolvers.playing import Clock, Volunteer, new_job, post


@pytest.mark.parametrize(
    ("name", "key"),
    [("Monte Carlo π", "monte-carlo-p"), ("  Hash  of STRINGS! ", "hash-of-strings"), ("日本", "ri-ben")],
)
async def test_a_jobs_key_is_the_slug_of_its_name(runtime: Runtime, name: str, key: str) -> None:
    job = await new_job(runtime, name)
    assert job.key == key
    assert (await jobs.get(runtime, key)).name == name


@pytest.mark.parametrize("name", ["", "!!!", "Scheduled", "scheduler", "x" * 201, "a\0b", "\ufdfa" * 100])
async def test_a_name_that_makes_no_key_is_refused(runtime: Runtime, store: Store, name: str) -> None:
    with pytest.raises(BadInput) as told:
        await new_job(runtime, name)
    assert told.value.field == "name"
    assert await store.jobs.count({}) == 0


@pytest.mark.parametrize("field", ["execute_function", "validate_result", "variable_scheduler", "compare_results"])
async def test_javascript_that_does_not_parse_is_refused_with_line_and_column(
    runtime: Runtime, store: Store, field: str
) -> None:
    with pytest.raises(UnparsableJavaScript, match=rf"{field} does not parse: .* \(line 2, column 13\)") as told:
        await new_job(runtime, **{field: "(a) => {\n  return a +;\n}"})
    assert told.value.field == field
    assert await store.jobs.count({}) == 0


async def test_a_source_that_is_too_long_is_refused_before_it_is_compiled(runtime: Runtime) -> None:
    with pytest.raises(TooLarge, match="execute_function may have at most 1,000,000 bytes, got 1,000,001"):
        await new_job(runtime, execute_function="x" * 1_000_001)


async def test_volunteers_can_check_the_source_by_its_sha256(runtime: Runtime) -> None:
    job = await new_job(runtime, execute_function="variable * 2 /* é */")
    assert job.sha256 == hashlib.sha256("variable * 2 /* é */".encode()).hexdigest()


async def test_a_key_that_is_taken_is_refused_by_name(runtime: Runtime) -> None:
    await new_job(runtime, "Double")
    with pytest.raises(AlreadyExists, match="there is a job with the key 'double' already") as told:
        await new_job(runtime, "double!")
    assert told.value.field == "name"


async def test_the_same_job_with_the_same_idempotency_key_is_the_stored_one(runtime: Runtime) -> None:
    first = await new_job(runtime, idempotency_key="once", metadata={"owner": "ann"})
    await jobs.update(runtime, "double", metadata={"owner": "bob"})
    again = await new_job(runtime, idempotency_key="once", metadata={"owner": "ann"})
    assert (again.seq, again.owner) == (first.seq, "bob")


@pytest.mark.parametrize(
    "changed",
    [{"policy": {"quorum": 2}}, {"metadata": {"a": 1}}, {"compare_results": "(a, b) => true"}, {"name": "DOUBLE"}],
)
async def test_another_job_with_the_same_idempotency_key_is_a_mismatch(
    runtime: Runtime, changed: dict[str, object]
) -> None:
    await new_job(runtime, idempotency_key="once")
    with pytest.raises(IdempotencyMismatch):
        await new_job(runtime, **{"name": "double", "idempotency_key": "once", **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        ([], "metadata"),
        ({"description": "text"}, "metadata.description"),
        ({"shortDescription": {"en": 1}}, "metadata.shortDescription"),
        ({"owner": 1}, "metadata.owner"),
        ({"owner": "x" * 201}, "metadata.owner"),
    ],
)
async def test_metadata_of_another_shape_is_refused(runtime: Runtime, metadata: object, field: str) -> None:
    with pytest.raises(BadInput) as told:
        await new_job(runtime, metadata=metadata)
    assert told.value.field == field


async def test_an_update_changes_what_is_given_and_nothing_else(runtime: Runtime, clock: Clock) -> None:
    before = await new_job(runtime, metadata={"a": 1}, policy={"quorum": 2}, validate_result="() => true")
    clock.advance(5)
    after = await jobs.update(runtime, "double", policy={"max_errors": 7}, validate_result="", compare_results=None)
    assert after.policy == {**before.policy, "max_errors": 7}
    assert (after.metadata, after.validate_result) == (before.metadata, "")
    assert after.updated_at == before.updated_at + 5000
    with pytest.raises(UnparsableJavaScript):
        await jobs.update(runtime, "double", variable_scheduler="(")
    with pytest.raises(NotFound):
        await jobs.update(runtime, "nothing")


async def test_the_job_of_a_new_owner_is_offered_as_theirs(runtime: Runtime) -> None:
    await new_job(runtime, metadata={"owner": "ann"})
    await post(runtime, "double", [1, 2])
    await jobs.update(runtime, "double", metadata={"owner": "bob"})
    host = Volunteer("host")
    assert not await host.claim(runtime, owners=frozenset({"ann"}))
    assert await host.claim(runtime, owners=frozenset({"bob"}))


async def test_an_archived_jobs_work_is_not_handed_out_and_its_results_are_taken(runtime: Runtime) -> None:
    await new_job(runtime)
    await post(runtime, "double", [1, 2])
    host = Volunteer("host")
    claimed = await host.claim(runtime)
    assert (await jobs.archive(runtime, "double")).state == JobState.ARCHIVED
    assert not await host.claim(runtime)
    [receipt] = await host.submit(runtime, claimed)
    assert receipt.result is not None
    assert receipt.result.verdict == "canonical"


async def test_a_page_of_an_owners_jobs_is_full_though_some_are_archived(runtime: Runtime) -> None:
    for number in range(6):
        await new_job(runtime, f"job {number}", metadata={"owner": "ann"})
    for number in (0, 2):
        await jobs.archive(runtime, f"job-{number}")
    found = await jobs.page(runtime, first=3, owner="ann")
    assert [job.key for job in found] == ["job-1", "job-3", "job-4"]
    assert [job.key for job in await jobs.page(runtime, first=3, owner="ann", after=found[-1].seq)] == ["job-5"]
