"""Central's tables, their migrations and the projections of records onto them."""
