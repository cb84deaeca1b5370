"""What the original comp-pool persisted: `jobs`, `variables` with `for_jobs`, and `results`.

Also as `mongoexport` writes its collections, with ids as `{"$oid": ...}`, and with the older name `for_job`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comp_pool.loading.entries import LoadProblem, NewJob, NewResult, Workload, json_problem, key_of, with_ids

FIELDS = {
    "execute_function": "executeFunction",
    "validate_result": "validateResult",
    "variable_scheduler": "variableScheduler",
    "metadata": "metadata",
}
ABOUT_A_VARIABLE = frozenset({"_id", "variable_id", "for_jobs", "for_job", "_links"})


def is_original(content: Mapping[str, Any]) -> bool:
    return isinstance(content.get("variables"), list) or isinstance(content.get("results"), list)


def read(file: str, content: Mapping[str, Any]) -> Workload:
    """Raises LoadProblem."""
    if reason := json_problem(content):
        raise LoadProblem(file, "", reason)
    jobs = {job.key: job for job in (_job(file, at, each) for at, each in enumerate(content["jobs"]))}
    given: dict[str, list[tuple[str, Any, str]]] = {}
    for at, variable in enumerate(content.get("variables") or ()):
        where = f"variables[{at}]"
        for name in _names(file, where, variable):
            given.setdefault(key_of(name), []).append((_id(variable), _value(variable), where))
    for key, variables in given.items():
        jobs.setdefault(key, NewJob(key, f"job {key!r}", None)).variables = with_ids(key, variables)
    results = [_result(file, at, each) for at, each in enumerate(content.get("results") or ())]
    return Workload(file, list(jobs.values()), results)


def _job(file: str, at: int, content: Any) -> NewJob:
    if not isinstance(content, dict) or not isinstance(content.get("name"), str):
        raise LoadProblem(file, f"jobs[{at}]", "an object with a `name` was expected")
    name = content["name"]
    where = f"job {name!r}"
    if not isinstance(content.get("execute_function"), str):
        raise LoadProblem(file, f"{where}: execute_function", "is missing, or is no text")
    input_ = {new: content[old] for old, new in FIELDS.items() if content.get(old) is not None}
    return NewJob(key_of(name), where, {"name": name, **input_})


def _names(file: str, where: str, variable: Any) -> list[str]:
    names = variable.get("for_jobs", variable.get("for_job")) if isinstance(variable, dict) else None
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise LoadProblem(file, f"{where}.for_jobs", "the names of the jobs that it is an input of were expected")
    return names


def _id(document: Mapping[str, Any]) -> str:
    return _reference(document.get("_id", document.get("variable_id", "")))


def _reference(id_: Any) -> str:
    return str(id_["$oid"] if isinstance(id_, dict) and "$oid" in id_ else id_)


def _value(variable: Mapping[str, Any]) -> Any:
    """The input: under `variable`, or in older files the document's own fields."""
    if "variable" in variable:
        return variable["variable"]
    return {name: value for name, value in variable.items() if name not in ABOUT_A_VARIABLE}


def _result(file: str, at: int, content: Any) -> NewResult:
    where = f"results[{at}]"
    if not isinstance(content, dict) or not content.keys() >= {"from_job", "from_variable", "result"}:
        raise LoadProblem(file, where, "an object with `from_job`, `from_variable` and `result` was expected")
    return NewResult(key_of(str(content["from_job"])), _reference(content["from_variable"]), content["result"], where)
