// The same with traverson and its HAL adapter (https://github.com/traverson/traverson-hal).

const traverson = require("traverson");
const JsonHalAdapter = require("traverson-hal");

traverson.registerMediaType(JsonHalAdapter.mediaType, JsonHalAdapter);

const root = traverson.from(`${process.argv[2]}/`).jsonHal();

/** Carries one traversal out. */
const done = (action, ...given) =>
  new Promise((resolve, reject) => {
    action(...given, (problem, found, traversal) => (problem ? reject(problem) : resolve({ found, traversal })));
  });

async function main() {
  const toJob = ["jobs-root", "jobs[name:Doubler]"];
  const job = (
    await done((to) =>
      root
        .newRequest()
        .follow(...toJob)
        .getResource(to),
    )
  ).found;
  const toVariable = [...toJob, "variables-root", "variables[0]"];
  const { found: variable, traversal } = await done((to) =>
    root
      .newRequest()
      .follow(...toVariable)
      .getResource(to),
  );
  const execute = new Function("variable", "context", job.execute_function);
  const { result } = execute(variable.variable, {});
  const results = () => traversal.continue().follow("results-root");
  const posted = (await done((to) => results().convertResponseToObject(false).post(result, to))).found;
  const { found: listed } = await done((to) => results().convertResponseToObject(true).getResource(to));
  console.log(
    JSON.stringify({
      variable: variable._links.self.href,
      location: posted.headers.location,
      listed: listed._links.results.map(({ href }) => href),
    }),
  );
}

main();
