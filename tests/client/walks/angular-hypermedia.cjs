// The same with angular-hypermedia alone (https://github.com/jcassee/angular-hypermedia).

const { injectorAt } = require("./angular.cjs");

const root = `${process.argv[2]}/`;

injectorAt(root).invoke([
  "ResourceContext",
  "HalResource",
  async (ResourceContext, HalResource) => {
    const api = await new ResourceContext(HalResource).get(root).$get();
    const jobs = await api.$linkRel("jobs-root").$get();
    const job = await jobs.$linkRel("jobs")[0].$get();
    const variables = await job.$linkRel("variables-root").$get();
    // The variables are shown with one of them at the top, whose `self` they have: a client that takes a `self` for a
    // name finds that variable in them.
    const variable = await variables.$linkRel("variables").at(-1).$get();
    const execute = new Function("variable", "context", job.execute_function);
    const results = variable.$linkRel("results-root");
    const made = await results.$post(execute(variable.variable, {}).result, { "Content-Type": "application/json" });
    await results.$get();
    console.log(
      JSON.stringify({
        variable: variable.$linkHref("self"),
        location: made.headers("Location"),
        listed: results.$linkHref("results"),
      }),
    );
    process.exit();
  },
]);
