"""Raw tables: what their columns are, how they are read, what is odd about them."""
