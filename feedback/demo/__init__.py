"""A site to try: the defaults every site starts with, and an invented county with people, duties and tickets."""
