"""Bytes that prove: the evidence protocol, version 1.

`PROTOCOL.md` beside this file is its specification. Nothing here knows a database,
a network or the time of day; untrusted bytes come in, checked objects come out.
"""
