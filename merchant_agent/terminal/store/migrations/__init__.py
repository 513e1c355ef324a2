"""Numbered scripts that bring the terminal's database to its present shape."""
