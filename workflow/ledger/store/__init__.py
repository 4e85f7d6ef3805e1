"""What was made once, by its content and by its key; and what is told of it beside."""
