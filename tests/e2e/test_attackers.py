"""What an attacker leaves to others."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from comp_pool import PoolClient
from tests.processes import HTTP, PATIENCE_S, RunningServer, running_server
from volunteer.calls import PoolCalls, Report

PUBLIC = (
    *("--auth", "tokens", "--address-requests", "500", "--new-hosts", "500"),
    *("--address-connections", "500", "--address-subscriptions", "500", "--address-turns", "2"),
)
"""What a pool has by default that other machines reach."""
SECONDS = 20.0
CYCLES_A_SECOND = 10
TOKEN = """mutation($name: String!) { createToken(input: {name: $name, account: $name, scopes: [SUBMIT]}) { text } }"""
ACCOUNT = "mutation($name: String!) { createAccount(input: {name: $name}) { userErrors { message } } }"
JOB = """mutation { createJob(input: {name: "Work", executeFunction: "(v, c) => c",
  validateResult: "(v, result, c) => c.phase === 'variable' || result === 1"}) { userErrors { message } } }"""
ADD = """mutation($at: JSON!) { createVariables(input: {job: "work", variables: [{value: $at}]}) {
  userErrors { message } } }"""


class Pair:
    """An owner who adds a variable ten times a second, and a volunteer who computes each."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url, token
        self.waits_ms: list[float] = []

    async def work(self, seconds: float) -> int:
        """How many variables were added, computed and reported in so many seconds."""
        began = time.monotonic()
        done, host, cycles = 0, "", 0
        async with PoolClient(self._url, token=self._token) as owner, PoolClient(self._url) as visitor:
            volunteer = PoolCalls(visitor)
            while (now := time.monotonic()) < began + seconds:
                added = await owner.call(ADD, at=cycles)
                assert added["createVariables"]["userErrors"] == []
                claim = await volunteer.claim(host=host, name="", wanted={"first": 1, "jobs": ["work"]})
                host = claim.host
                if claim.tasks:
                    receipts = await volunteer.submit(host, [Report(task, 1, 1) for task in claim.tasks])
                    done += sum(receipt.verdict == "CANONICAL" for receipt in receipts)
                self.waits_ms.append((time.monotonic() - now) * 1000)
                cycles += 1
                await asyncio.sleep(max(0.0, began + cycles / CYCLES_A_SECOND - time.monotonic()))
        return done

    def __str__(self) -> str:
        waits = sorted(self.waits_ms)
        return (
            f"{len(waits)} cycles, median {waits[len(waits) // 2]:.0f} ms, 99 % {waits[len(waits) * 99 // 100]:.0f} ms"
        )


@pytest.mark.soak
def test_an_attacker_leaves_others_four_fifths_of_their_rate(tmp_path: Path) -> None:
    with running_server(tmp_path / "pool", options=PUBLIC) as server:
        owner, attacker = (token_of(server, name) for name in ("owner", "attacker"))
        HTTP.post(f"{server.url}/graphql", json={"query": JOB}, headers=bearer(owner)).raise_for_status()
        alone, beside = Pair(server.url, owner), Pair(server.url, owner)
        undisturbed = asyncio.run(alone.work(SECONDS))
        command = [sys.executable, "-m", "tests.e2e.attacker", server.url, attacker, str(SECONDS + 5)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as attacking:
            disturbed = asyncio.run(beside.work(SECONDS))
            said, _ = attacking.communicate(timeout=PATIENCE_S)
        assert attacking.returncode == 0
        print(f"alone: {undisturbed} done, {alone}; attacked: {disturbed} done, {beside}; the attacker: {said}")
        assert json.loads(said)["requests"] > 100
        assert disturbed >= 0.8 * undisturbed > 0


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def token_of(server: RunningServer, name: str) -> str:
    """A token of a new account that may submit."""
    for query in (ACCOUNT, TOKEN):
        asked = {"query": query, "variables": {"name": name}}
        answer = HTTP.post(f"{server.url}/graphql", json=asked, headers=bearer(server.operator_token)).json()
    text: str = answer["data"]["createToken"]["text"]
    return text
