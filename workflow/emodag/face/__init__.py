"""What people touch: the configuration and the command line."""
