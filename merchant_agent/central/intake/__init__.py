"""What terminals ask of central: to be enrolled, and to take their records."""
