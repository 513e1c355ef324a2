"""Thin blueprints: tablet, counter, manager, POS interface, health."""
