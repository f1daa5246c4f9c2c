"""Safety lines taken out one by one, to see that the tests notice."""
