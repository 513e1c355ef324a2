"""The whole way in a real Chromium, against real programs."""
