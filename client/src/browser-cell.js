// A cell in a browser: a worker inside of a frame without an origin, whose policy allows no connection.

import { SCRIPT } from "./cell-script.js";

const POLICY = "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; worker-src blob:";
const WORKER = `(() => {
  const run = ${SCRIPT};
  const post = postMessage;
  onmessage = ({ data }) => run(data, (reply) => post(reply));
})()`;
const FRAME = `<!doctype html><meta http-equiv="Content-Security-Policy" content="${POLICY}"><script>
  onmessage = ({ data, ports: [port] }) => {
    const url = URL.createObjectURL(new Blob([${JSON.stringify(WORKER).replaceAll("<", "\\u003c")}]));
    const worker = new Worker(url);
    worker.onmessage = (answer) => port.postMessage(answer.data);
    worker.onerror = (problem) => port.postMessage("crash\\n" + problem.message);
    worker.postMessage(data);
  };
</script>`;

/**
 * @param {string} call
 * @returns {{reply: Promise<string>, stop: () => void}}
 */
export function start(call) {
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.setAttribute("sandbox", "allow-scripts");
  frame.srcdoc = FRAME;
  const { port1, port2 } = new MessageChannel();
  const reply = new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(String(data));
  });
  frame.onload = () => frame.contentWindow?.postMessage(call, "*", [port2]);
  document.body.append(frame);
  return {
    reply,
    stop() {
      port1.close();
      frame.remove();
    },
  };
}
