"""One variable's computation as a script that `new Worker(url)` runs."""

from __future__ import annotations

import orjson

from storage import Job, Variable

TEMPLATE = """\
// The job {key} computes its variable {variable}: the script answers its creator with {{result, context}} or {{error}}.
const variable = JSON.parse({value});
function execute(variable, context) {{
{body}
}}
(async () => {{
  try {{
    const {{ result, ...context }} = await execute(variable, {{}});
    postMessage({{ result, context }});
  }} catch (problem) {{
    postMessage({{ error: `${{(problem && problem.message) || problem}}` }});
  }}
}})();
"""


def worker_script(job: Job, variable: Variable) -> str:
    """A classic worker script that computes when it is started. The job's code stands in it as a function's body:
    the script is served under a content security policy that allows neither connections nor `eval`."""
    value = orjson.dumps(variable.value).decode()
    return TEMPLATE.format(key=job.key, variable=variable.key, value=value, body=job.execute_body)
