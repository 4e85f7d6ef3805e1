"""What makes a score lie although each cell is sound; told of what ingest has written of tables."""
