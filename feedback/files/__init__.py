"""Files that people send: what is taken, how it is cleaned, where its bytes lie. Knows no ticket and no table."""
