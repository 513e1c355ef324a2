"""Central's log as this terminal sees it: a witness that keeps what it was shown, and compares."""
