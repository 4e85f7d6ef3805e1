"""Kinds of files: the digest of what a file says, as a whole and by its parts."""
