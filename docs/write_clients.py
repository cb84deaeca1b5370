"""Writes what the clients take from the schema: its states, its error codes and the pool's limits, once as an ES module
and once as a Python module; and the version that the npm package shares with the Python packages. `make reference` runs
it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from graphql import GraphQLEnumType

import comp_pool
from resolvers import json_text
from resolvers.errors import TEMPORARY
from resolvers.flows.progress import ENDED
from resolvers.owners import variables
from resolvers.volunteers import claims, leases, reports
from schema.machinery import connections
from schema.schema import schema
from server import graphql_requests
from storage.flows import FlowState

ROOT = Path(__file__).parents[1]
LINE_LENGTH = 120
ENUMS = (
    "ErrorCode",
    "FlowNodeState",
    "FlowRunState",
    "FlowState",
    "JobState",
    "Review",
    "TaskState",
    "VariableState",
    "Visibility",
    "Verdict",
    "WaitKind",
    "WhyNoWork",
)
SETS = {
    "TEMPORARY": (
        "The codes of errors after which the same call may work later.",
        "ErrorCode",
        {each.name for each in TEMPORARY},
    ),
    "ENDED_FLOW_STATES": (
        "The states of a flow that has ended.",
        "FlowState",
        {each.name for each in FlowState if each in ENDED},
    ),
    "ENDED_NODE_STATES": (
        "The states of a level or a job of a flow that has ended.",
        "FlowNodeState",
        {each.name for each in ENDED},
    ),
}
LIMITS = {
    "TASKS_PER_CLAIM": ("The most tasks that `claimTasks` leases.", claims.MOST_AT_ONCE),
    "JOBS_PER_CLAIM": ("The most jobs, or owners, that `claimTasks` takes.", claims.MOST_WISHES),
    "TASKS_PER_CALL": ("The most tasks that `extendLease` and `releaseTasks` take.", leases.MOST_AT_ONCE),
    "RESULTS_PER_CALL": ("The most results that `submitResults` takes.", reports.MOST_AT_ONCE),
    "VARIABLES_PER_CALL": ("The most variables that `createVariables` takes.", variables.MOST_AT_ONCE),
    "NODES_PER_PAGE": ("The most nodes that a connection returns.", connections.MOST_A_PAGE),
    "VALUE_BYTES": ("The most bytes of a value, as JSON in UTF-8.", json_text.MAX_BYTES),
    "ERROR_CHARACTERS": ("The most characters of an error that are kept.", reports.MAX_ERROR_CHARACTERS),
    "REQUEST_BYTES": ("The most bytes of a request's body.", graphql_requests.MAX_BODY),
}


def client_modules() -> Mapping[Path, str]:
    """The modules by their paths."""
    return {
        ROOT / "client/src/schema.js": "\n".join(_javascript()),
        ROOT / "client/python/src/comp_pool/schema.py": "\n".join(_python()),
        **{path: _versioned(path) for path in (ROOT / "client/package.json", ROOT / "client/package-lock.json")},
    }


def _versioned(path: Path) -> str:
    """The npm package's own file with the version that all packages have."""
    package = json.loads(path.read_text(encoding="utf-8"))
    for each in (package, package.get("packages", {}).get("", {})):
        if "version" in each:
            each["version"] = comp_pool.__version__
    return json.dumps(package, indent=2, ensure_ascii=False) + "\n"


def _javascript() -> Iterator[str]:
    yield "// Written by `make reference` from the pool's schema: change that, not this file.\n"
    for name in ENUMS:
        kind = _enum(name)
        yield f"/** {kind.description} */"
        yield f"export const {name} = Object.freeze({{"
        for value in kind.values:
            yield f'  {value}: "{value}",'
        yield "});\n"
    for name, (description, enum, members) in SETS.items():
        yield f"/** {description} @type {{ReadonlySet<string>}} */"
        values = [f"{enum}.{each}" for each in _ordered(enum, members)]
        line = f"export const {name} = new Set([{', '.join(values)}]);"
        broken = "\n".join([f"export const {name} = new Set([", *(f"  {each}," for each in values), "]);"])
        yield f"{line if len(line) <= LINE_LENGTH else broken}\n"
    for name, (description, limit) in LIMITS.items():
        yield f"/** {description} */"
        yield f"export const {name} = {limit:_};\n"


def _python() -> Iterator[str]:
    yield '"""The states, error codes and limits of a pool.'
    yield "\nWritten by `make reference` from the pool's schema: change that, not this file."
    yield '"""\n'
    yield "from enum import StrEnum\n"
    for name in ENUMS:
        kind = _enum(name)
        yield f"\nclass {name}(StrEnum):"
        yield f'    """{kind.description}"""\n'
        for value in kind.values:
            yield f'    {value} = "{value}"'
        yield ""
    for name, (description, enum, members) in SETS.items():
        yield f"\n{name} = frozenset(\n    {{"
        for each in _ordered(enum, members):
            yield f"        {enum}.{each},"
        yield f'    }}\n)\n"""{description}"""'
    for name, (description, limit) in LIMITS.items():
        yield f'\n{name} = {limit:_}\n"""{description}"""'
    yield ""


def _enum(name: str) -> GraphQLEnumType:
    return cast(GraphQLEnumType, schema._schema.type_map[name])


def _ordered(enum: str, members: set[str]) -> list[str]:
    """Members of an enum in the schema's order."""
    return [each for each in _enum(enum).values if each in members]
