"""What all types of the schema are made with: scalars, connections, payloads, directives, limits and errors."""
