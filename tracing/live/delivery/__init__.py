"""How do spans get from here to the exporters, and what is kept when they do not?"""
