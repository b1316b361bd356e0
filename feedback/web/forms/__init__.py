"""The forms of the pages: fields with labels. What is right is said by the commands; nothing is checked here."""
