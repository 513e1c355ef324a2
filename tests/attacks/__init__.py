"""Every attack that the protocol is made against, each ended by a rule and two pieces of evidence."""
