"""Customers with their phones, and shops that would rather have none."""
