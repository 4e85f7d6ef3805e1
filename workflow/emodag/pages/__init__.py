"""The HTML pages: words, drawings, and what the two pages share."""
