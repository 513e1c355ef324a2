"""Uploading: what to send, how to read the answer, when to try again.

What lies behind the last acknowledged place is to be sent; there is no other queue. An
upload returns an outcome and never raises for what the network or central did; only what
central signed moves the acknowledged place.
"""
