"""What the pool costs, measured on this machine: `make bench`."""
