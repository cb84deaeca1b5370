/** Which host this browser is: a token that the pool gave out. All tabs share it. */

const KEY = "comp-pool.host";

export const identity = {
  /** The host's secret token; empty: none was given out yet. */
  get token() {
    return localStorage.getItem(KEY) ?? "";
  },

  set token(token) {
    if (token) localStorage.setItem(KEY, token);
    else localStorage.removeItem(KEY);
  },

  /** The host's public pseudonym. */
  get key() {
    return this.token.split(".")[0];
  },
};
