"""What a file of the user holds, and what `load_data` is best told about it: looked at, chosen, and each choice told.

`fnn data FILE` prints it, `fnn new FILE` writes a config from it; `load_data` itself needs nothing of it. NumPy only.
May import: errors, storage, data.
"""
