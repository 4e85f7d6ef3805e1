"""Pure functions of arrays: tables, folds, scaling, model, training, scores. Knows nothing of stores."""
