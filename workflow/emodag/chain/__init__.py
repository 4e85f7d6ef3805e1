"""The chain: the table of stages, and the jobs that a configuration makes of it."""
