// A cell in a browser: a worker inside of a frame without an origin, whose policy allows no connection.

import { SCRIPT } from "./cell-script.js";

const POLICY = "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; worker-src blob:";
const WORKER = `const run = ${SCRIPT}; onmessage = async ({ data }) => postMessage(await run(data));`;
const FRAME = `<!doctype html><meta http-equiv="Content-Security-Policy" content="${POLICY}"><script>
  onmessage = ({ data, ports: [port] }) => {
    const url = URL.createObjectURL(new Blob([${JSON.stringify(WORKER).replaceAll("<", "\\u003c")}]));
    const worker = new Worker(url);
    worker.onmessage = (answer) => port.postMessage(answer.data);
    worker.onerror = (problem) => port.postMessage(JSON.stringify({ error: problem.message }));
    worker.postMessage(data);
  };
</script>`;

/**
 * @param {{body: string, variable: any, context: object}} call
 * @returns {{answer: Promise<object>, stop: () => void}}
 */
export function start(call) {
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.setAttribute("sandbox", "allow-scripts");
  frame.srcdoc = FRAME;
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(JSON.parse(data));
  });
  frame.onload = () => frame.contentWindow?.postMessage(JSON.stringify(call), "*", [port2]);
  document.body.append(frame);
  return {
    answer,
    stop() {
      port1.close();
      frame.remove();
    },
  };
}
