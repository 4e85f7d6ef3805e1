"""Compare two runs stage by stage."""
