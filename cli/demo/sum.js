// Reduces what the levels below made: the sum of its numbers, and how many there are.
function execute(variable, context) {
  const numbers = Object.values(context).filter((value) => typeof value === "number");
  return { result: { total: numbers.reduce((sum, number) => sum + number, 0), count: numbers.length } };
}
