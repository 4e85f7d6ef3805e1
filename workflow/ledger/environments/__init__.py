"""Virtual environments built from locks, and which one each job runs in."""
