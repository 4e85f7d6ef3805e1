"""Stores behind the one that is written: directories, buckets, hosts."""
