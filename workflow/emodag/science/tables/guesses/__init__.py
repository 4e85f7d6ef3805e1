"""What the columns of tables nobody has described probably are, and why; nothing is sure."""
