"""What people say and what the law asks, as pure functions and values."""
