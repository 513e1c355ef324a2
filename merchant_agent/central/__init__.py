"""Central: the bureau's server, which enrols terminals and keeps what they send."""
