// The hash code of a string, 31 * hash + character, in 32 bits: as Java's String.hashCode.
function execute(variable, context) {
  let hash = 0;
  for (let at = 0; at < variable.hash.length; at++) {
    hash = (Math.imul(31, hash) + variable.hash.charCodeAt(at)) | 0;
  }
  context.result = hash;
  return context;
}
