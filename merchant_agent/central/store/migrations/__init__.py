"""Numbered scripts that bring central's database to its present shape."""
