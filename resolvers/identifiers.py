"""What names of things look like. A name of another shape names nothing, and never reaches the store."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from resolvers.errors import BadInput, LeaseLost

JOB_KEY = re.compile(r"[a-z0-9-]{1,300}")
VARIABLE_KEY = re.compile(r"[A-Za-z0-9._~-]{1,128}")
RESULT_NUMBER = re.compile(r"u?[0-9]{1,9}")
TASK_ID = re.compile(r"(var|run):[A-Za-z0-9._~:-]{1,600}:u?[0-9]{1,9}")
LEASE_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
FLOW_KEY = re.compile(r"[0-9a-f]{32}")
REVISION = re.compile(r"[0-9a-f]{32}")
NODE_NUMBER = re.compile(r"[0-9]{1,8}")
CURSOR = re.compile(r"[0-9a-f]{32}")
HOST_KEY = re.compile(r"[a-z0-9]{1,64}")
JOB_PATH = re.compile(rf"/jobs/({JOB_KEY.pattern})/?")
VARIABLE_PATH = re.compile(rf"/jobs/({JOB_KEY.pattern})/variables/({VARIABLE_KEY.pattern})/?")


def job_key(reference: str, *, field: str) -> str:
    """The key that a job's key or URL (`/jobs/KEY`, absolute or not) names.

    Raises BadInput for anything else.
    """
    if JOB_KEY.fullmatch(reference):
        return reference
    if found := JOB_PATH.fullmatch(urlsplit(reference).path):
        return found[1]
    raise BadInput(f"{reference[:100]!r} is neither a job's key nor its URL (/jobs/KEY)", field=field)


def variable_key(reference: str, job: str, *, field: str) -> str:
    """The key in a variable's key or URL (`/jobs/JOB/variables/KEY`), which must be one of `job`.

    Raises BadInput for anything else.
    """
    if VARIABLE_KEY.fullmatch(reference):
        return reference
    found = VARIABLE_PATH.fullmatch(urlsplit(reference).path)
    if not found:
        raise BadInput(
            f"{reference[:100]!r} is neither a variable's id nor its URL (/jobs/JOB/variables/ID)", field=field
        )
    if found[1] != job:
        raise BadInput(f"{reference[:100]!r} is not a variable of the job {job!r}", field=field)
    return found[2]


def check_lease(task: str, token: str, *, field: str) -> None:
    """Raises LeaseLost where the task's id or the lease's token can't be one of this pool."""
    if not TASK_ID.fullmatch(task) or not LEASE_TOKEN.fullmatch(token):
        raise LeaseLost(f"{field} names no task with its lease of this pool", field=field)


def checked_cursor(cursor: str) -> str:
    """A place in a list in the order of `seq`, or empty for its start. Raises BadInput for anything else."""
    if cursor and not CURSOR.fullmatch(cursor):
        raise BadInput(f"{cursor[:100]!r} is no cursor of this list", field="after")
    return cursor


def checked_text(value: str, *, field: str, most: int) -> str:
    """A text of at most `most` characters without control characters other than line breaks and tabs.

    Raises BadInput.
    """
    if len(value) > most:
        raise BadInput(f"{field} takes at most {most} characters, got {len(value)}", field=field)
    if any(character < " " and character not in "\n\r\t" for character in value):
        raise BadInput(f"{field} takes text without control characters", field=field)
    return value
