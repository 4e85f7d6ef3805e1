"""The report, a section per module."""
