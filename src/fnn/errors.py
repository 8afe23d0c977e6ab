"""The errors with which `fnn` stops on purpose; the command line turns each into one line and an exit status.

Exit status 5 has no error: another process of the same training was lost, and `machine.processes` ends this one.
"""

from os import PathLike


class InputError(ValueError):
    """The user's input or surroundings are wrong; exit status 2. The message says what, got, expected, remedy."""


class CorruptFileError(ValueError):
    """A file is not what it should be; exit status 3.

    Attributes:
        path: The file.
        reason: What is wrong with it, without the path.
    """

    path: str
    reason: str

    def __init__(self, path: str | PathLike[str], reason: str) -> None:
        """Keeps both parts as `args`, so that the error survives being pickled between processes."""
        self.path, self.reason = str(path), " ".join(reason.split())  # one line, even if the reason quotes several
        ValueError.__init__(self, self.path, self.reason)

    def __str__(self) -> str:
        """`path: reason`, on one line."""
        return f"{self.path}: {self.reason}"


class DivergedError(ArithmeticError):
    """A cost or a parameter became infinite or nan in training; exit status 4.

    Attributes:
        epoch: From 1.
        step: The mini-batch of that epoch, from 1; 0 if every step was finite and only the cost after them is not.
        layer: The layer, from 0, in which the first number that is not finite appeared; -1 when it is in the data.
            Where one of the two gradients is nan and the other is finite: the layer whose derivative is nan.
    """

    epoch: int
    step: int
    layer: int

    def __init__(self, message: str, epoch: int, step: int, layer: int) -> None:
        """Keeps all parts as `args`, so that the error survives being pickled between processes."""
        self.epoch, self.step, self.layer = epoch, step, layer
        ArithmeticError.__init__(self, message, epoch, step, layer)

    def __str__(self) -> str:
        """The message alone."""
        return self.args[0]


class StoppedError(Exception):
    """A signal ended the training, which is saved; exit status 128 + `number`.

    Attributes:
        number: The number of the signal: 2 for Ctrl-C, 15 for SIGTERM.
    """

    number: int

    def __init__(self, number: int, message: str = "stopped and saved") -> None:
        """Keeps both parts as `args`, so that the error survives being pickled between processes."""
        self.number = number
        Exception.__init__(self, number, message)

    def __str__(self) -> str:
        """The message alone."""
        return self.args[1]
