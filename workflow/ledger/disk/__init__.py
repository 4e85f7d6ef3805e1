"""Files and JSON on disk: whole or absent, read with suspicion, told by their content."""
