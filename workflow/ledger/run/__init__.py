"""One job from start to manifest, and one run's place among others."""
