"""What the API consists of: a module for each noun, with its types, queries and mutations."""
