// The documented client, as users of the original wrote it: chained, and by keys.

const { client } = require("comp-pool");
const { injectorAt } = require("./angular.cjs");

const [, , url, job, id] = process.argv;

injectorAt(`${url}/`).invoke([
  "ResourceContext",
  "HalResource",
  "$log",
  "$q",
  async (ResourceContext, HalResource, $log, $q) => {
    $log.debug = () => {};
    const compPool = client(url, ResourceContext, HalResource, $log, $q);
    const variable = await (id
      ? compPool.getJobsRoot().getJob(job).getVariablesRoot().getVariable(id).compute()
      : compPool.getJobsRoot().getRandomJob().getVariablesRoot().getRandomVariable().compute());
    const saved = await variable.saveResult(id ? undefined : { asVariableToo: true });
    console.log(
      JSON.stringify({
        variable: variable.resource.$links.self.href,
        location: saved.result,
        asVariable: saved.variable ?? null,
        result: variable.result,
      }),
    );
    process.exit();
  },
]);
