"""Reading a file of jobs: JSON or YAML, in camelCase or snake_case, or what an original comp-pool kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from comp_pool.files import FileProblem, parse, read_text
from comp_pool.loading import original
from comp_pool.loading.entries import LoadProblem, NewJob, Workload, json_problem, key_of, with_ids

SOURCES = ("execute_function", "validate_result", "variable_scheduler", "compare_results")


class _Entry(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", strict=True)


class PolicyEntry(_Entry):
    """A job's policy. The pool says what the values may be."""

    quorum: int | None = None
    target_results: int | None = None
    max_errors: int | None = None
    max_total: int | None = None
    delay_bound_seconds: int | None = None
    adaptive: bool | None = None
    accepts_variables_from: str | None = None
    max_iterations: int | None = None


class JobEntry(_Entry):
    """A job in a file. Each source may stand in a file of its own, named relative to this one."""

    name: str
    execute_function: str | None = None
    execute_function_file: str | None = None
    validate_result: str | None = None
    validate_result_file: str | None = None
    variable_scheduler: str | None = None
    variable_scheduler_file: str | None = None
    compare_results: str | None = None
    compare_results_file: str | None = None
    metadata: dict[str, Any] | None = None
    policy: PolicyEntry | None = None
    variables: list[Any] = []

    @model_validator(mode="after")
    def _one_source_each(self) -> JobEntry:
        for name in SOURCES:
            if getattr(self, name) is not None and getattr(self, f"{name}_file") is not None:
                raise ValueError(f"{to_camel(name)} and {to_camel(name)}File are both given: one is enough")
        if self.execute_function is None and self.execute_function_file is None:
            raise ValueError("executeFunction, or executeFunctionFile, is missing")
        return self


def read_workload(file: str, text: str, directory: Path) -> Workload:
    """What a file holds.

    Args:
        file: its name, for messages.
        text: what stands in it.
        directory: where the files are that it names.

    Raises LoadProblem.
    """
    try:
        content = parse(file, text)
    except FileProblem as problem:
        raise LoadProblem(file, "", str(problem)) from problem
    if not isinstance(content, dict) or not isinstance(content.get("jobs"), list):
        raise LoadProblem(file, "", "a list `jobs` was expected at the top")
    if original.is_original(content):
        return original.read(file, content)
    if unknown := content.keys() - {"jobs"}:
        raise LoadProblem(file, str(min(unknown, key=str)), "is not known; `jobs` is what a file may have")
    return Workload(file, [_job(file, directory, at, entry) for at, entry in enumerate(content["jobs"])])


def _job(file: str, directory: Path, at: int, content: Any) -> NewJob:
    name = content.get("name") if isinstance(content, dict) else None
    where = f"job {name!r}" if isinstance(name, str) else f"jobs[{at}]"
    try:
        entry = JobEntry.model_validate(content)
    except ValidationError as problem:
        raise LoadProblem(file, where, _first(problem)) from problem
    if reason := json_problem(entry.metadata):
        raise LoadProblem(file, f"{where}: metadata", reason)
    job = {"name": entry.name, **_sources(file, directory, where, entry)}
    if entry.metadata is not None:
        job["metadata"] = entry.metadata
    if entry.policy is not None:
        job["policy"] = entry.policy.model_dump(by_alias=True, exclude_none=True)
    key = key_of(entry.name)
    given = [_variable(file, where, at, each) for at, each in enumerate(entry.variables)]
    return NewJob(key, where, job, with_ids(key, given))


def _first(problem: ValidationError) -> str:
    error = problem.errors()[0]
    field = ".".join(map(str, error["loc"]))
    message = error["msg"].removeprefix("Value error, ")
    return f"{field}: {message}" if field else message


def _sources(file: str, directory: Path, where: str, entry: JobEntry) -> dict[str, Any]:
    sources: dict[str, Any] = {}
    for name in SOURCES:
        source, path = getattr(entry, name), getattr(entry, f"{name}_file")
        if path is not None:
            try:
                source = read_text(directory / path)
            except FileProblem as problem:
                raise LoadProblem(file, f"{where}: {to_camel(name)}File", f"{path} {problem}") from problem
        if source is not None:
            sources[to_camel(name)] = source
    return sources


def _variable(file: str, where: str, at: int, given: Any) -> tuple[str, Any, str]:
    place = f"{where}: variables[{at}]"
    if reason := json_problem(given):
        raise LoadProblem(file, place, reason)
    # An object of `value` and `id` alone, or of `value`, is a variable with its wrapping; any other is the value.
    if isinstance(given, dict) and "value" in given and given.keys() <= {"id", "value"}:
        id_ = given.get("id", "")
        if not isinstance(id_, str):
            raise LoadProblem(file, f"{place}.id", f"an id is text, got {id_!r}: put it in quotes")
        return id_, given["value"], place
    return "", given, place
