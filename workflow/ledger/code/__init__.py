"""Code: what a stage can reach, as digests, and its import from source."""
