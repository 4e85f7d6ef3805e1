"""How many exchanges the sign-flip test of `emodag.science.scores.comparisons` makes."""

MOST_EXACT = 13
"""Up to so many persons it goes through all of them."""

EXCHANGES = 9999
"""Random ones for more persons."""


def least_p(persons: int) -> float:
    """The least p value that so many persons can have."""
    return 2 / 2**persons if persons <= MOST_EXACT else 1 / (1 + EXCHANGES)
