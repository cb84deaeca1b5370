// One step of Newton's method for the root of the context's count; hands the total on beside it. The estimate stands in
// the context's `result` from the second run on.
function execute(variable, context) {
  const { count, total, result } = context;
  const estimate = result === undefined ? count : result.root;
  context.result = { total, root: (estimate + count / estimate) / 2 };
  return context;
}
