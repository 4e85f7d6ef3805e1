"""Models that can stand in for the network: what they are fitted on, and how."""
