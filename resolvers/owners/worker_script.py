"""One variable's computation as a script that `new Worker(url)` runs."""

from __future__ import annotations

import orjson

from sandbox import CALL
from storage import Job, Variable

TEMPLATE = """\
// The job {key} computes its variable {variable}: the script answers its creator with {{result, context}} or {{error}}.
{call}
function execute(variable, context) {{
{body}
}}
(() => {{
  const {{ call }} = globalThis.__calls;
  delete globalThis.__calls;
  const post = postMessage;
  const {{ parse }} = JSON;
  const {{ apply }} = Reflect;
  const {{ indexOf, slice }} = String.prototype;
  const outcomeOf = (reply) => {{
    const end = apply(indexOf, reply, ["\\n"]);
    const text = apply(slice, reply, [end + 1]);
    if (apply(slice, reply, [0, end]) !== "returned") return {{ error: text }};
    const {{ value, context }} = parse(text);
    return {{ result: value, context }};
  }};
  call(execute, [{value}, "{{}}"], "job", Infinity, (reply) => post(outcomeOf(reply)));
}})();
"""


def worker_script(job: Job, variable: Variable) -> str:
    """A classic worker script that computes when it is started. The job's code stands in it as a function's body:
    the script is served under a content security policy that allows neither connections nor `eval`."""
    value = orjson.dumps(variable.value).decode()
    return TEMPLATE.format(key=job.key, variable=variable.key, value=value, body=job.execute_body, call=CALL)
