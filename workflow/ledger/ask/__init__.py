"""Answers about results, as data: why a job runs, what it came from, what is damaged."""
