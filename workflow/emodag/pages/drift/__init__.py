"""The page on drift between environments and seeds, a section per module."""
