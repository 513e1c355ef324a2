"""What the terminal keeps: the ledger of signed records and what is read off it."""
