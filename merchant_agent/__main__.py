"""`python -m merchant_agent` is the command line."""

from merchant_agent.cli import main

if __name__ == "__main__":
    main()
