"""What every process looks after now and then, one chore a module: whatever a host or a process left half-way."""
