"""What to send to central, how to read its answer, when to try again."""
