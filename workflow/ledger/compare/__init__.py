"""Two results: where they first differ, why, and how far they are apart."""
