"""The configuration: its sections and their checks, how it is read and written."""
