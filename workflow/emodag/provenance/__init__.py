"""What the project is for: digests, keys, the store, the runner. Knows nothing of emotion."""
