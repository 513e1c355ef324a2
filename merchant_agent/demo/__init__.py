"""The demo: a central and an enrolled terminal with one example merchant, as separate processes."""
