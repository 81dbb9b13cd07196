"""One file per resource: the shapes of its answers and its requests."""
