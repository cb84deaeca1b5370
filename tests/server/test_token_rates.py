"""How often one token may be used."""

from __future__ import annotations

from dataclasses import replace

from tests.server.access_pool import access_pool

VIEWER = "{ a: viewer { wantsTokens } b: viewer { wantsTokens } c: viewer { wantsTokens } }"
ARCHIVE = {"job": "work"}


async def test_a_token_is_used_so_often() -> None:
    async with access_pool() as pool:
        pool.runtime.limits = replace(pool.runtime.limits, token_requests=1)
        for _ in range(10):
            assert "errors" not in await pool.ask("owner", VIEWER)
        refused = await pool.ask("owner", VIEWER)
        assert {error["extensions"]["code"] for error in refused["errors"]} == {"RATE_LIMITED"}
        assert refused["errors"][0]["extensions"]["retryAfterSeconds"] >= 1
        [error] = (await pool.mutate("owner", "archiveJob", "job { key }", **ARCHIVE))["userErrors"]
        assert error["code"] == "RATE_LIMITED"
        answer = await pool.http.post(
            "/jobs", json={"name": "a", "execute_function": "x"}, headers=pool.header("owner")
        )
        assert (answer.status_code, answer.json()["code"]) == (429, "RATE_LIMITED")
        assert int(answer.headers["retry-after"]) >= 1
        assert "errors" not in await pool.ask("other owner", VIEWER)
        assert "errors" not in await pool.ask("none", VIEWER)
