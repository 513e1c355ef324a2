"""How a sale reaches the terminal."""
