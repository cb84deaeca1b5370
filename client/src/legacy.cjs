// The client of the original comp-pool, over angular-hypermedia: CommonJS, or a classic script after angular's.

(function () {
  "use strict";

  /**
   * What angular and angular-hypermedia bring has no types.
   *
   * @typedef {any} Resource of angular-hypermedia
   * @typedef {any} Promised a promise of angular's
   * @typedef {{debug: Function}} Log
   * @typedef {{when: Function, all: Function, reject: Function}} Promises
   * @typedef {{new (session: Session, resource: Resource, ...rest: any[]): any, steps: Record<string, Type | null>}} Type
   */

  /**
   * Connects to a pool. Every object on the way is a promise of itself that has its methods already, so that they can
   * be chained: `client.getJobsRoot().getRandomJob().getVariablesRoot().getRandomVariable().compute()`.
   *
   * @param {string} compPoolRoot the pool's URL
   * @param {any} ResourceContext of angular-hypermedia
   * @param {any} HalResource of angular-hypermedia
   * @param {Log} $log
   * @param {Promises} $q
   * @returns {Promised} a promise of the `ApiRoot`, with its methods
   */
  function client(compPoolRoot, ResourceContext, HalResource, $log, $q) {
    const session = new Session(ResourceContext, HalResource, $log, $q);
    return session.get(compPoolRoot.endsWith("/") ? compPoolRoot : `${compPoolRoot}/`, ApiRoot);
  }

  /** How the objects of one client get others. */
  class Session {
    /** @param {any} ResourceContext @param {any} HalResource @param {Log} $log @param {Promises} $q */
    constructor(ResourceContext, HalResource, $log, $q) {
      this.open = (/** @type {string} */ url) => new ResourceContext(HalResource).get(url);
      this.$log = $log;
      this.$q = $q;
    }

    /** What is at `url`, as one of the types below. @param {string} url @param {Type} Type @param {any[]} rest */
    get(url, Type, ...rest) {
      this.$log.debug("comp-pool: GET %s", url);
      // A context of its own: one that lasts would take a job's variables for the variable that they are shown with.
      return this.chain(
        this.open(url)
          .$get()
          .then((/** @type {Resource} */ resource) => new Type(this, resource, ...rest)),
        Type,
      );
    }

    /** Sends a value and tells the URL of what was made of it. @param {string} url @param {unknown} value */
    post(url, value) {
      this.$log.debug("comp-pool: POST %s", url);
      const headers = { "Content-Type": "application/json" };
      return this.open(url)
        .$post(JSON.stringify(value === undefined ? null : value), headers)
        .then((/** @type {any} */ response) => response.headers("Location"));
    }

    /** The promise, with the methods of the type that it is a promise of. @param {Promised} promise @param {Type} Type */
    chain(promise, Type) {
      for (const [name, Next] of Object.entries(Type.steps)) {
        promise[name] = (/** @type {unknown[]} */ ...given) => {
          const next = promise.then((/** @type {any} */ found) => found[name](...given));
          return Next ? this.chain(next, Next) : next;
        };
      }
      return promise;
    }
  }

  class Found {
    /** @param {Session} session @param {Resource} resource */
    constructor(session, resource) {
      this.session = session;
      /** The resource of angular-hypermedia. */
      this.resource = resource;
      /** What the pool answered. */
      this.realizedValue = { ...resource, _links: resource.$links };
    }

    /** @param {string} rel @returns {string} */
    href(rel) {
      return this.resource.$links[rel].href;
    }
  }

  class ApiRoot extends Found {
    getJobsRoot() {
      return this.session.get(this.href("jobs-root"), JobsRoot);
    }
  }

  class JobsRoot extends Found {
    /** @param {string} key */
    getJob(key) {
      return this.session.get(member(this.href("jobs-root"), key), Job);
    }

    getRandomJob() {
      const links = this.resource.$links.jobs;
      if (!links.length) return this.session.chain(this.session.$q.reject(new Error("The pool has no jobs")), Job);
      return this.session.get(oneOf(links).href, Job);
    }
  }

  class Job extends Found {
    /** @param {Session} session @param {Resource} resource */
    constructor(session, resource) {
      super(session, resource);
      /** `execute_function` */
      this.function = new Function("variable", "context", resource.execute_function);
    }

    getVariablesRoot() {
      return this.session.get(this.href("variables-root"), VariablesRoot, this);
    }
  }

  class VariablesRoot extends Found {
    /** @param {Session} session @param {Resource} resource @param {Job} job */
    constructor(session, resource, job) {
      super(session, resource);
      this.job = job;
    }

    /** @param {string} id */
    getVariable(id) {
      return this.session.get(member(this.href("variables-root"), id), Variable, this.job);
    }

    /** One of those that still want results. */
    getRandomVariable() {
      const links = this.resource.$links.variables;
      if (links.length) return this.session.get(oneOf(links).href, Variable, this.job);
      const problem = new Error(this.resource.warningMessage || "Job has no variables");
      return this.session.chain(this.session.$q.reject(problem), Variable);
    }
  }

  class Variable extends Found {
    /** @param {Session} session @param {Resource} resource @param {Job} job */
    constructor(session, resource, job) {
      super(session, resource);
      this.job = job;
      /** What the job's function left in `context.result`; undefined until `compute`. @type {any} */
      this.result = undefined;
    }

    /** Computes the variable here and now. */
    compute() {
      const { $q } = this.session;
      const returned = $q.when().then(() => this.job.function(this.resource.variable, {}));
      return this.session.chain(
        returned.then((/** @type {any} */ context) => {
          this.result = isObject(context) && "result" in context ? context.result : context;
          this.computed = true;
          return this;
        }),
        Variable,
      );
    }

    /**
     * Reports the result, computed first if need be.
     *
     * @param {{asVariableToo?: boolean}} [options] `asVariableToo`: the result becomes an input of the job as well
     * @returns {Promised} a promise of the URLs of what was stored
     */
    saveResult(options) {
      if (!this.computed) return this.compute().then(() => this.saveResult(options));
      const { $q } = this.session;
      const asVariableToo = Boolean(options && options.asVariableToo);
      return $q.all({
        result: this.session.post(this.href("results-root"), this.result),
        variable: asVariableToo ? this.session.post(this.href("variables-root"), this.result) : undefined,
      });
    }
  }

  // What each type's methods lead to; null: to something without methods of ours.
  /** @type {Record<string, Type>} */
  ApiRoot.steps = { getJobsRoot: JobsRoot };
  JobsRoot.steps = { getJob: Job, getRandomJob: Job };
  Job.steps = { getVariablesRoot: VariablesRoot };
  VariablesRoot.steps = { getVariable: Variable, getRandomVariable: Variable };
  Variable.steps = { compute: Variable, saveResult: null };

  /** @param {string} collection @param {string} key */
  function member(collection, key) {
    return `${collection}/${encodeURIComponent(key)}`;
  }

  /** @template T @param {T[]} links */
  function oneOf(links) {
    return links[Math.floor(Math.random() * links.length)];
  }

  /** @param {any} value */
  function isObject(value) {
    return value !== null && typeof value === "object";
  }

  const { angular } = /** @type {any} */ (globalThis);
  if (typeof angular === "object") {
    angular
      .module("CompPoolClient", ["hypermedia"])
      .factory("compPoolClient", ["compPoolRoot", "ResourceContext", "HalResource", "$log", "$q", client]);
  }
  if (typeof module === "object") module.exports = { client };
})();
