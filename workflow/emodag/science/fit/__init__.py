"""One fit of the network: model, randomness, ordered products, training."""
