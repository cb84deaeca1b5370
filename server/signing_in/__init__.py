"""Signing in on the pool's own pages: the session's cookie, and the ways to get one."""
