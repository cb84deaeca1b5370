"""Documents with what a test says of them, and the rest filled in."""

from typing import Any

from storage import Job, Lease, Result, Task, Variable

NOW = 1_700_000_000_000
LEASE = Lease("token", "host", NOW, NOW + 1000)


def make_task(name: str = "t", **said: Any) -> Task:
    given: dict[str, Any] = {
        "unit": "var:j:v",
        "job": "j",
        "queue": "queue:variables:j",
        "number": "0",
        "seq": name,
        "rand": 0.5,
    }
    return Task(id=f"var:j:{name}", created_at=NOW, **{**given, **said})


def make_variable(key: str = "v", **said: Any) -> Variable:
    given: dict[str, Any] = {"job": "j", "value": "1", "seq": key, "rand": 0.5, "due": NOW, "created_at": NOW}
    return Variable(id=Variable.id_of("j", key), key=key, **{**given, **said})


def make_result(number: str = "0", **said: Any) -> Result:
    given: dict[str, Any] = {"unit": "var:j:v", "job": "j", "host": "host", "seq": number, "created_at": NOW}
    return Result(id=f"var:j:v:{number}", number=number, **{**given, **said})


def make_job(key: str = "j", **said: Any) -> Job:
    given: dict[str, Any] = {
        "name": key,
        "seq": key,
        "execute_function": "1",
        "execute_body": "return 1",
        "sha256": "0",
    }
    return Job(id=Job.id_of(key), key=key, created_at=NOW, updated_at=NOW, **{**given, **said})
