"""A volunteer whose every step a test takes by hand, over GraphQL."""

from typing import Any

from tests.processes import RunningServer

CLAIM = """mutation($input: ClaimTasksInput!) { claimTasks(input: $input) {
  host tasks { id variable context lease { token } job { key } } userErrors { message } } }"""
SUBMIT = """mutation($input: SubmitResultsInput!) { submitResults(input: $input) {
  results { verdict } userErrors { message } } }"""
SUBMIT_FLOW = """mutation($input: SubmitFlowInput!) { submitFlow(input: $input) {
  flow { key } userErrors { field message } } }"""


class Hand:
    def __init__(self, server: RunningServer, name: str) -> None:
        self._server = server
        self._name = name
        self.host: str | None = None

    def claim(self, first: int = 100, **wishes: Any) -> list[dict[str, Any]]:
        """Tasks that are leased now."""
        asked = {"first": first, "host": self.host, "hostName": self._name, **wishes}
        answer = self._server.ask(CLAIM, input=asked)["claimTasks"]
        assert not answer["userErrors"], answer
        self.host = answer["host"]
        tasks: list[dict[str, Any]] = answer["tasks"]
        return tasks

    def report(self, tasks: list[dict[str, Any]], **result: Any) -> None:
        """One result for all of them: a `value`, or the `error` that was thrown."""
        results = [{"task": task["id"], "lease": task["lease"]["token"], **result} for task in tasks]
        answer = self._server.ask(SUBMIT, input={"host": self.host, "results": results})["submitResults"]
        assert not answer["userErrors"], answer


def submit_flow(server: RunningServer, **flow: Any) -> str:
    """The key of a new flow."""
    answer = server.ask(SUBMIT_FLOW, input=flow)["submitFlow"]
    assert not answer["userErrors"], answer
    key: str = answer["flow"]["key"]
    return key
