"""Kinds of files: the digest of what a file says, and a sketch to compare it by."""
