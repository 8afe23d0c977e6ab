"""Bugs for the rows of `experiments/notes/conv_race.py`."""

BUGS = {}
UNFLIPPED = {
    "001-12": "it does not hold as it is: a bug would have to put the sigmoid last and tanh behind ReLU at once "
    "(with the derivative of tanh wrong, the sigmoid is still not last by its intervals)"
}
