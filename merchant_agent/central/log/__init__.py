"""Central's log: one Merkle tree over what all issuers signed, in C2SP's formats.

What is to be logged is queued in the transaction that stores it (`waiting`). One sequencer
takes it up into the tree, whose hashes lie in the database as tiles (`tree`), moves the lock
outside the database forward (`lock`) and then publishes a checkpoint (`sequencer`).

Source: RFC 6962, section 2; C2SP tlog-checkpoint, tlog-tiles, tlog-proof, tlog-cosignature.
"""
