"""Ratings and complaints that a shop cannot make vanish: terminal and central."""

__version__ = "0.1.0"
