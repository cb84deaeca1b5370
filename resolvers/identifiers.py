"""What names of things look like. A name of another shape names nothing, and never reaches the store."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import urlsplit

from slugify import slugify

from resolvers.errors import BadInput, LeaseLost

JOB_KEY = re.compile(r"[a-z0-9-]{1,300}")
VARIABLE_KEY = re.compile(r"[A-Za-z0-9._~-]{1,128}")
RESULT_NUMBER = re.compile(r"u?[0-9]{1,9}")
TASK_ID = re.compile(r"(var|run):[A-Za-z0-9._~:-]{1,600}:u?[0-9]{1,9}")
LEASE_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
FLOW_KEY = re.compile(r"[0-9a-f]{32}")
REVISION = re.compile(r"[0-9a-f]{32}")
RUN_ID = re.compile(r"run:[0-9a-f]{32}:[0-9]{1,8}:[0-9]{1,9}\.[0-9]{1,9}")
NODE_NUMBER = re.compile(r"[0-9]{1,8}")
CURSOR = re.compile(r"[0-9a-f]{32}")
ACCOUNT_KEY = re.compile(r"[a-z0-9-]{1,100}")
TOKEN_KEY = re.compile(r"[0-9a-f]{16}")
HOST_KEY = re.compile(r"[a-z0-9]{1,64}")
MOST_REASON_CHARACTERS = 1_000
USUAL_PORTS = {"http": 80, "https": 443}
JOB_PATH = re.compile(rf"/jobs/({JOB_KEY.pattern})/?")
VARIABLE_PATH = re.compile(rf"/jobs/({JOB_KEY.pattern})/variables/({VARIABLE_KEY.pattern})/?")


def job_key(reference: str, addresses: Collection[str] = (), *, field: str) -> str:
    """The key that a job's key or URL names: `jobs/KEY`, `/jobs/KEY`, or the same below one of the pool's own
    `addresses`, which are hosts (with the port, and the path that the API is mounted at, if any).

    Raises BadInput for anything else.
    """
    if JOB_KEY.fullmatch(reference):
        return reference
    if found := JOB_PATH.fullmatch(_own_path(reference, addresses, field)):
        return found[1]
    meant = slugify(reference[:100])
    hint = f": did you mean {meant!r}?" if meant and "/" not in reference else ""
    raise BadInput(f"{reference[:100]!r} is neither a job's key nor its URL (/jobs/KEY){hint}", field=field)


def variable_key(reference: str, job: str, addresses: Collection[str] = (), *, field: str) -> str:
    """The key in a variable's key or URL (`/jobs/JOB/variables/KEY`, absolute or not), which must be one of `job`.

    Raises BadInput for anything else.
    """
    if VARIABLE_KEY.fullmatch(reference):
        return reference
    found = VARIABLE_PATH.fullmatch(_own_path(reference, addresses, field))
    if not found:
        raise BadInput(
            f"{reference[:100]!r} is neither a variable's id nor its URL (/jobs/JOB/variables/ID)", field=field
        )
    if found[1] != job:
        raise BadInput(f"{reference[:100]!r} is not a variable of the job {job!r}", field=field)
    return found[2]


def address_of(url: str) -> str:
    """Host, port (unless it is the scheme's own) and path of a URL, by which addresses are compared.

    Raises ValueError for a URL that can't be one.
    """
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    port = "" if parts.port in (None, USUAL_PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{host}{port}{parts.path.rstrip('/')}"


def _own_path(reference: str, addresses: Collection[str], field: str) -> str:
    """The path below the pool's root of a URL or a reference to one (RFC 3986, section 4.2): `//host/path`, `/path` and
    `path`. Raises BadInput for another host's."""
    try:
        parts, address = urlsplit(reference), address_of(reference)
    except ValueError:
        return ""
    if not parts.scheme and not parts.netloc:
        return f"/{parts.path.lstrip('/')}"
    for own in addresses:
        if parts.scheme in ("", *USUAL_PORTS) and address.startswith(f"{own}/"):
            return address.removeprefix(own)
    raise BadInput(
        f"{reference[:100]!r} is not at this pool, which is at {' or '.join(addresses) or 'no address'}: a flow takes "
        "this pool's own jobs and variables",
        field=field,
    )


def check_lease(task: str, token: str, *, field: str) -> None:
    """Raises LeaseLost where the task's id or the lease's token can't be one of this pool."""
    if not TASK_ID.fullmatch(task):
        raise LeaseLost(f"{field}.task is no task of this pool", field=f"{field}.task")
    if not LEASE_TOKEN.fullmatch(token):
        raise LeaseLost(f"{field}.lease is no lease's token of this pool", field=f"{field}.lease")


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


def checked_reason(reason: str) -> str:
    """Why an operator does something: a text of 1 to 1,000 characters, without the spaces around it.

    Raises BadInput.
    """
    said = checked_text(reason, field="reason", most=MOST_REASON_CHARACTERS).strip()
    if not said:
        raise BadInput("reason takes a text, and got none: others read it", field="reason")
    return said
