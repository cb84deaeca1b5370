"""A small HTTP server in a pool's place: it gives the posts of an outbox the answers that `pool_answers.json` holds."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CLIENT = HERE.parent / "client"
ROWS: list[dict[str, Any]] = json.loads((HERE / "pool_answers.json").read_text(encoding="utf-8"))["rows"]
NAMES = [row["name"] for row in ROWS]
STRAY = (
    "200 of HTML",
    "200 of JSON that breaks off",
    "a payload that is null",
    "302 to a login page",
    "401 of a proxy",
    "403 of a proxy",
    "404 of a proxy",
    "429 without Retry-After",
    "503 of a pool that stops",
    "a stray 400",
    "a stray 413",
    "GraphQL error INTERNAL",
    "GraphQL error FORBIDDEN",
    "GraphQL errors that are none",
)
STRAY_ROWS = [row for row in ROWS if row["name"] in STRAY]
"""Of each sort of answer one that any call may get."""
TASKS = ("0", "1", "2", "3")
SPOILED = "2"
TRIES_OF_ONE_THAT_IS_KEPT = 6
LOGIN = {"status": 200, "headers": {"content-type": "text/html"}, "body": "<!doctype html><title>Please log in</title>"}
TYPES = {".js": "text/javascript", ".html": "text/html"}
VERDICT = {"id": "result", "verdict": "CANONICAL", "reason": None, "value": None}


def value_of(task: str) -> dict[str, str]:
    """What was computed for a task."""
    return {"computed": task}


class AnsweringPool:
    """Plays one row of the table at a time."""

    def __init__(self) -> None:
        self.port = 0
        self.row: dict[str, Any] = {}
        self.posts: list[tuple[float, list[str]]] = []
        """When each post of results came, in seconds, and the tasks that it reported."""
        self.taken: dict[str, str] = {}
        """By task: `value` or `error`, whichever was taken of it."""
        self._left = 0.0
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop_listening(self) -> None:
        if self._server:
            self._server.close()
            await self._server.wait_closed()

    async def play(self, row: dict[str, Any]) -> None:
        """Start with a row. One of refused connections begins with the pool not listening."""
        self.row, self.posts, self.taken = row, [], {}
        self._left = row.get("times", float("inf") if "to" in row else 2)
        if row["answer"].get("connection") == "refused":
            await self.stop_listening()

    def is_over(self, settled: int) -> bool:
        """Whether nothing more is to come, once so many reports are settled. One that is kept is tried for ever."""
        if self.row.get("becomes") != "kept":
            return settled == len(TASKS)
        tries = sum(SPOILED in tasks for _, tasks in self.posts)
        return settled == len(TASKS) - 1 and tries >= TRIES_OF_ONE_THAT_IS_KEPT

    def problem(self, outcomes: dict[str, str], waits: list[str]) -> str:
        """What differs from the row, or empty. `outcomes`: what became of each task's report; `waits`: what was told
        while posts were put off."""
        row = self.row
        expected = dict.fromkeys(TASKS, row.get("others", "value")) | {SPOILED: row.get("becomes", "value")}
        sizes = [len(tasks) for _, tasks in self.posts]
        if outcomes != expected:
            return f"became {outcomes} instead of {expected}, in posts of {sizes}; waited for {waits}"
        if sizes != row.get("sizes", sizes):
            return f"posted {sizes}"
        if row.get("says", "") not in "\n".join(waits) or (waits and not row.get("waits", True)):
            return f"told {waits}"
        if "waitSeconds" in row and self.posts[1][0] - self.posts[0][0] < row["waitSeconds"]:
            return "came back too soon"
        return ""

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            path, body = await _request(reader)
            answer = self._answer_to(json.loads(body)) if path == "/graphql" else _file(path)
            await self._send(writer, reader, answer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # The client went away.
        finally:
            writer.close()

    async def _send(self, writer: asyncio.StreamWriter, reader: asyncio.StreamReader, answer: dict[str, Any]) -> None:
        kind = answer.get("connection")
        if kind == "silent":
            await reader.read()  # Until the client gives up.
            return
        if kind == "cut before":
            writer.transport.abort()
            return
        body = answer.get("body", "").encode()
        length = len(body) + (100 if kind == "cut within" else 0)
        headers = {"connection": "close", **({} if answer["status"] == 204 else {"content-length": str(length)})}
        head = [f"HTTP/1.1 {answer['status']} X", *(f"{k}: {v}" for k, v in {**headers, **_headers(answer)}.items())]
        writer.write("\r\n".join([*head, "", ""]).encode() + body)
        await writer.drain()

    def _answer_to(self, call: dict[str, Any]) -> dict[str, Any]:
        reports: list[dict[str, Any]] = call["variables"]["input"]["results"]
        self.posts.append((time.monotonic(), [report["task"] for report in reports]))
        answer: dict[str, Any] = self.row["answer"]
        if self._left <= 0 or not any(map(self._is_meant, reports)):
            return self._payload(reports)
        self._left -= 1
        if "refused" in answer:
            return _json([], [_error(answer["refused"], answer.get("retryAfterSeconds"), answer.get("field"))])
        if "receipts" in answer:
            return _json([VERDICT] * answer["receipts"], [])
        if "member" in answer:
            return self._payload(reports, answer["member"], answer.get("retryAfterSeconds"))
        if answer.get("connection") == "cut within":
            return {**self._payload([]), **answer}
        return answer

    def _is_meant(self, report: dict[str, Any]) -> bool:
        match self.row.get("to", "all"):
            case "its value":
                return bool(report["task"] == SPOILED and "error" not in report)
            case "its task":
                return bool(report["task"] == SPOILED)
        return True

    def _payload(
        self, reports: list[dict[str, Any]], refused: str | None = "", retry_after_s: int | None = None
    ) -> dict[str, Any]:
        """What a pool answers that takes all reports, apart from the spoiled one if there is a code (or None)."""
        results: list[Any] = []
        for report in reports:
            if refused != "" and report["task"] == SPOILED:
                results.append(None)
                continue
            assert "error" in report or report["value"] == value_of(report["task"])
            self.taken[report["task"]] = "error" if "error" in report else "value"
            results.append(VERDICT)
        return _json(results, [_error(refused, retry_after_s)] if refused and None in results else [])


@asynccontextmanager
async def answering_pool() -> AsyncIterator[AnsweringPool]:
    pool = AnsweringPool()
    await pool.listen()
    try:
        yield pool
    finally:
        await pool.stop_listening()


async def _request(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    path = head[0].split(" ")[1]
    length = next((line.partition(":")[2] for line in head if line.lower().startswith("content-length:")), "0")
    return path, await reader.readexactly(int(length))


def _file(path: str) -> dict[str, Any]:
    """A file of the pages; for any other address the page of whoever wants to be logged in to."""
    file = CLIENT / path.removeprefix("/assets/")
    if not path.startswith("/assets/") or not file.is_file():
        return LOGIN
    return {"status": 200, "headers": {"content-type": TYPES[file.suffix]}, "body": file.read_text(encoding="utf-8")}


def _headers(answer: dict[str, Any]) -> dict[str, str]:
    headers: dict[str, str] = answer.get("headers", {})
    if headers.get("retry-after") != "in 1 s":
        return headers
    now = datetime.now(UTC)
    later = format_datetime(now + timedelta(seconds=1), usegmt=True)
    return {**headers, "date": format_datetime(now, usegmt=True), "retry-after": later}


def _json(results: list[Any], errors: list[Any]) -> dict[str, Any]:
    body = json.dumps({"data": {"submitResults": {"results": results, "userErrors": errors}}})
    return {"status": 200, "headers": {"content-type": "application/json"}, "body": body}


def _error(code: str, retry_after_s: int | None = None, field: str | None = None) -> dict[str, Any]:
    return {"field": field, "message": "no such thing", "code": code, "retryAfterSeconds": retry_after_s}
