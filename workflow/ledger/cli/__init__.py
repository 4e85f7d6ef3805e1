"""The command line: one module per verb, and how all of them print."""
