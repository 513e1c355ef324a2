"""Central's blueprints: each reads a request, calls a function, renders."""
