"""The report: what a run came to, section by section."""
