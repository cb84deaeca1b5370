// Takes whole numbers only, and only prime factors whose product is the number; writes them as an equation.
function validate(number, factors, context) {
  if (context.phase === "variable") return Number.isSafeInteger(number) && number > 1;
  const isPrime = (n) => {
    for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
    return n > 1;
  };
  const product = factors.reduce((all, factor) => all * factor, 1);
  if (product !== number) return { valid: false, reason: `the product is ${product}` };
  if (!factors.every(isPrime)) return { valid: false, reason: "not all of them are prime" };
  return { valid: true, result: `${number} = ${factors.join(" x ")}` };
}
