"""A bug for each row of CLAIMS.md, one file per topic of `experiments/notes`.

`BUGS` has the bug of each number. `UNFLIPPED` has the reason for each number that no honest bug flips. A bug is planted
in the library if the row tests the library, in a function of the topic only if the row is the note's own algebra.
"""
