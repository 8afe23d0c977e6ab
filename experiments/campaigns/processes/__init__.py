"""Sixteen checks of several devices and processes that train one run; `__main__` runs them and writes the page."""
