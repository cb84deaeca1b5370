"""How much one query may ask for."""

import pytest

from schema.machinery.limits import MAX_ALIASES, MAX_COST, MAX_DEPTH
from tests.schema.api import Api

DASHBOARD = {
    "jobs": """query Jobs($after: String) {
        jobs(first: 50, after: $after) {
          pageInfo { hasNextPage endCursor }
          nodes { id key name owner state description runMilliseconds createdAt variableCounts { open done failed } }
        }
      }""",
    "job": """query Job($key: String!) {
        job(key: $key) {
          ...Outline
          policy { quorum targetResults maxErrors maxTotal delayBoundSeconds adaptive }
          variables(first: 20) {
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
            edges { cursor node { key state value createdAt finishedAt
              tasks { number state host attempt deadline }
              results(first: 10) { nodes { key verdict value reason elapsedMilliseconds host { key name trusted } } }
            } }
          }
        }
      }
      fragment Outline on Job { id key name owner metadata scheduler: schedulerProblem }""",
    "pool": """{ pool { name defaultScheduler schedulers status { measuredAt tasks { ready leased reported expired }
        resultsLastMinute resultsLastHour hosts activeHosts } } hosts(first: 100) { nodes { key valid invalid } } }""",
    "flow": """query FlowJobs($key: String!, $after: String) { flow(key: $key) { nodes(first: 50, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes { number jobKey variableKey as state reason iteration result startedAt finishedAt }
      } } }""",
    "flows": "{ flows(first: 50) { nodes { key state progress { total fraction etaSeconds } } } }",
}


def _refusal(errors: list[dict[str, object]]) -> str:
    [error] = errors
    return str(error["message"])


@pytest.mark.parametrize("name", DASHBOARD)
async def test_what_a_dashboard_asks_is_within_the_limits(api: Api, name: str) -> None:
    answer = await api.answer(DASHBOARD[name], **({"key": "nothing"} if "$key" in DASHBOARD[name] else {}))
    assert [error for error in answer["errors"] if error.get("path") != [name]] == []


async def test_a_query_that_goes_too_deep_is_refused(api: Api) -> None:
    def nested(depth: int) -> str:
        return (
            '{ job(key: "a") { variable(id: "b") '
            + '{ job { variable(id: "b") ' * depth
            + "{ key }"
            + " } }" * (depth + 1)
        )

    assert f"at most {MAX_DEPTH} are answered" in _refusal(await api.errors(nested(MAX_DEPTH)))
    assert "there is no job" in _refusal(await api.errors(nested(3)))


async def test_too_many_aliases_are_refused(api: Api) -> None:
    def aliased(number: int) -> str:
        return "{" + " ".join(f"a{at}: pool {{ name }}" for at in range(number)) + "}"

    assert f"has {MAX_ALIASES + 1} aliases" in _refusal(await api.errors(aliased(MAX_ALIASES + 1)))
    assert len(await api(aliased(MAX_ALIASES))) == MAX_ALIASES


async def test_a_document_of_too_many_tokens_is_refused(api: Api) -> None:
    document = "{ pool { " + "name " * 5_000 + "} }"
    assert "more than 4000 tokens" in _refusal(await api.errors(document))


@pytest.mark.parametrize(
    "document",
    [
        "{ jobs { nodes { variables { nodes { key value } } } } }",
        "{ jobs(first: 100) { nodes { variables(first: 100) { edges { node { key state } } } } } }",
        "query ($first: Int!) { jobs(first: $first) { nodes { variables(first: $first) { nodes { key state } } } } }",
        "{ jobs(first: 1, last: 100) { nodes { variables { nodes { key state } } } } }",
        "{ jobs { ...Page } } fragment Page on JobConnection { nodes { variables { nodes { key state } } } }",
        "{ flows { nodes { nodes { nodes { number state } } } } }",
        "{ jobs { ... { nodes { variables { ... { nodes { key state } } } } } } }",
    ],
)
async def test_lists_within_lists_are_weighed_by_what_they_could_return(api: Api, document: str) -> None:
    variables = {"first": 100} if "$first" in document else {}
    [error] = await api.errors(document, **variables)
    assert f"at most {MAX_COST:,} are answered" in error["message"]
    assert error["extensions"]["code"] == "TOO_LARGE"


# Two to the sixtieth selections: whoever counted them one by one would never answer.
@pytest.mark.timeout(120)
async def test_fragments_that_multiply_are_weighed_in_no_time(api: Api) -> None:
    fragments = [f"fragment F{at} on Pool {{ ...F{at + 1} ...F{at + 1} }}" for at in range(60)]
    document = "{ pool { ...F0 } } " + " ".join(fragments) + " fragment F60 on Pool { name }"
    assert await api.errors(document)


async def test_a_fragment_that_is_not_there_is_refused_by_name(api: Api) -> None:
    assert "Unknown fragment 'Nothing'." in _refusal(await api.errors("{ pool { ...Nothing } }"))


async def test_a_document_of_brackets_alone_is_refused_and_no_fault(api: Api) -> None:
    for document in ("{ pool " * 1_990 + "{ name " + "} " * 1_991, "{ pool(x: " + "[" * 1_980 + "]" * 1_980 + ") }"):
        for error in await api.errors(document):
            assert error.get("extensions", {}).get("code") != "INTERNAL"


async def test_a_fragment_that_contains_itself_is_refused(api: Api) -> None:
    document = "{ pool { ...A } } fragment A on Pool { ...B } fragment B on Pool { ...A }"
    assert "Cannot spread fragment 'A' within itself via 'B'." in _refusal(await api.errors(document))
