"""emodag: cross-subject emotion recognition by self-training, content-addressed end to end."""
