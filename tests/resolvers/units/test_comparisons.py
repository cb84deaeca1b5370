"""How often `compareResults` is called."""

from collections.abc import Sequence

import pytest

from resolvers.runtime import Runtime
from resolvers.units.comparisons import classes
from sandbox import Function, Outcome, Sandbox
from storage import Result
from tests.resolvers.playing import new_job


def _result(at: int, value: int) -> Result:
    return Result(
        id=f"u.{at}",
        unit="u",
        job="double",
        number=str(at),
        host="",
        seq="",
        value=str(value),
        digest=f"digest of {value}",
        created_at=0,
    )


RESULTS = [_result(at, value) for at, value in enumerate([10, 20, 11, 30, 21, 12, 31, 10])]


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many calls each run had."""
    counts: list[int] = []
    run = Sandbox.run

    async def counted(
        self: Sandbox, function: Function, calls: Sequence[Sequence[str]], **options: object
    ) -> list[Outcome]:
        counts.append(len(calls))
        return await run(self, function, calls, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Sandbox, "run", counted)
    return counts


async def test_a_result_is_compared_with_the_first_of_each_class_and_only_once(
    runtime: Runtime, called: list[int]
) -> None:
    job = await new_job(runtime, compare_results="(a, b) => Math.floor(a / 10) === Math.floor(b / 10)")
    expected = {"0": "0", "1": "1", "2": "0", "3": "3", "4": "1", "5": "0", "6": "3", "7": "0"}
    for count in range(1, len(RESULTS) + 1):
        called.clear()
        assert await classes(runtime, job, RESULTS[:count]) == dict(list(expected.items())[:count])
        assert sum(called) <= 3
