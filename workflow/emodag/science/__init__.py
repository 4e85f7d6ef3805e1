"""Pure functions of arrays, from tables to scores. Knows nothing of stores."""
