"""What a run says at its end: the score, the files, the next command."""
