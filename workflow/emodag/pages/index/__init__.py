"""The page on everything in a directory of results."""
