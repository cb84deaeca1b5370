"""How often an address group may show tokens that the pool does not know."""

from __future__ import annotations

from dataclasses import replace

from resolvers.access.principals import TOKEN_TEXT
from tests.server.access_pool import AccessPool, access_pool

MOST = 5


def guess(number: int) -> str:
    text = f"cp_{number:016x}{'x' * 43}"
    assert TOKEN_TEXT.fullmatch(text)
    return text


async def code_for(pool: AccessPool, token: str) -> str:
    """The code that a read with this token is refused with; empty: it is answered."""
    pool.tokens["tried"] = token
    answer = await pool.ask("tried", "{ viewer { scopes } }")
    return next((each["extensions"]["code"] for each in answer.get("errors", ())), "")


async def test_tokens_that_nobody_has_are_tried_so_often_and_known_ones_go_on() -> None:
    async with access_pool() as pool:
        pool.runtime.limits = replace(pool.runtime.limits, wrong_tokens=MOST)
        for _ in range(2 * MOST):
            for principal, code in (("owner", ""), ("none", ""), ("revoked", "UNAUTHENTICATED")):
                assert await code_for(pool, pool.tokens[principal]) == code
        codes = [await code_for(pool, guess(number) if number % 2 else "cp_?") for number in range(MOST + 3)]
        assert codes == ["UNAUTHENTICATED"] * MOST + ["RATE_LIMITED"] * 3
        assert await code_for(pool, pool.tokens["owner"]) == ""
        assert await code_for(pool, pool.tokens["none"]) == ""
        # A right guess is as good as a wrong one by now, and costs the store nothing.
        costs = []
        for _ in range(5):  # The server's own chores may come in between.
            reads = pool.runtime.store.database.operations.total()
            assert await code_for(pool, pool.tokens["other owner"]) == "RATE_LIMITED"
            costs.append(pool.runtime.store.database.operations.total() - reads)
        assert min(costs) == 0
        answer = await pool.http.get("/jobs/work", headers={"authorization": f"Bearer {guess(99)}"})
        assert (answer.status_code, answer.json()["code"]) == (429, "RATE_LIMITED")
        assert int(answer.headers["retry-after"]) >= 1
