"""What a run says at its end: the score, the files, the next command; and how commands are told."""
