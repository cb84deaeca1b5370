"""The pool as a whole, as dashboards see it."""
