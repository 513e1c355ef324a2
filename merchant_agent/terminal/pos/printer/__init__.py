"""The receipt printer tap: a POS prints through the terminal, which reads along and changes nothing else.

What a printer is sent passes on byte by byte. A copy of it is read: which kind of job it is, its
order number and amount. Only before the cut of a customer's receipt the invitation goes in.
"""
