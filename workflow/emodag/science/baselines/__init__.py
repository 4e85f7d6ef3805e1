"""Models of other people to compare with: what they are fitted on, with which settings."""
