"""The verbs of the command line that only this application has."""
