// AngularJS and angular-hypermedia in Node.js, in a window of jsdom's.

const { readFileSync } = require("node:fs");
const { JSDOM } = require("jsdom");

const SCRIPTS = [
  "angular/angular.js",
  "mediatype-parser/dist/mediatype-parser-browser.js",
  "linkheader-parser/dist/linkheader-parser-browser.js",
  "uri-templates/uri-templates.js",
  "angular-hypermedia/dist/hypermedia.js",
];

/** An injector of the services of `ng` and `hypermedia`, in a page at `url`. */
exports.injectorAt = (url) => {
  const { window } = new JSDOM("<!doctype html>", { url, runScripts: "outside-only" });
  for (const script of SCRIPTS) window.eval(readFileSync(require.resolve(script), "utf8"));
  return window.angular.injector(["ng", "hypermedia"]);
};
