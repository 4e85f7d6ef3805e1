"""Scores, their intervals over persons, and what they can be compared with."""
