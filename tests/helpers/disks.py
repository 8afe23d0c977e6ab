"""A disk that remembers: every operation of `fnn.files`, and what a power cut at any moment would leave of them.

`Recorder` stands in for `os` in that room. It does what `os` does, keeps the order, and can fail or kill at any
operation. `Disk` replays a record: data and names that were not synced may be there or not, each for itself.
"""

import errno
import os
import signal


class Recorder:
    """`os`, with every operation that changes the disk in `log`, and what `before(operation)` wants done first."""

    def __init__(self, before=lambda operation: None):
        self.log, self.before, self.names = [], before, {}

    def __getattr__(self, name):
        return getattr(os, name)

    def note(self, *operation):
        self.before(operation)
        self.log.append(operation)

    def open(self, path, flags, *mode):
        if flags & os.O_CREAT:
            self.note("create", str(path))
        descriptor = os.open(path, flags, *mode)
        self.names[descriptor] = str(path)
        return descriptor

    def write(self, descriptor, data):
        half = bytes(data[: max(1, len(data) // 2)])  # a write may always do less than it was asked to
        self.note("write", self.names[descriptor], half)
        return os.write(descriptor, half)

    def fsync(self, descriptor):
        self.note("sync", self.names[descriptor])
        os.fsync(descriptor)

    def mkdir(self, path):
        self.note("mkdir", str(path))
        os.mkdir(path)

    def unlink(self, path):
        self.note("remove", str(path))
        os.unlink(path)

    def rmdir(self, path):
        self.note("remove", str(path))
        os.rmdir(path)

    def rename(self, old, new):
        self.note("rename", str(old), str(new))
        os.rename(old, new)

    replace = rename


class Full(Recorder):
    """A disk on which operation `n` fails, and from then on all that need room; the clearing up does not."""

    def __init__(self, n, error=errno.ENOSPC):
        super().__init__(self.fail)
        self.n, self.error = n, error

    def fail(self, operation):
        self.n -= 1
        if self.n == -1 or (self.n < -1 and operation[0] in ("create", "write", "mkdir")):
            raise OSError(self.error, os.strerror(self.error))


class Deadly(Recorder):
    """A disk whose user is killed right before operation `n`."""

    def __init__(self, n):
        super().__init__(self.strike)
        self.n = n

    def strike(self, operation):
        self.n -= 1
        if self.n == -1:
            os.kill(os.getpid(), signal.SIGKILL)


class Inode:
    """A file's bytes or a folder's names: what is safe, and the changes since the last sync."""

    def __init__(self, safe):
        self.safe, self.pending = safe, []

    def after(self, fates):
        """What is there when each change is kept, lost, or (data) arrives as zeros."""
        value = self.safe
        for change, fate in zip(self.pending, fates, strict=True):
            if fate != "lost":
                value = change(value, fate)
        return value

    def sync(self):
        self.safe, self.pending = self.after(["kept"] * len(self.pending)), []


class Disk:
    """The folder `root`, empty and safe, after some operations."""

    def __init__(self, root, log):
        self.tree = {str(root): Inode({})}
        self.root, self.inodes = self.tree[str(root)], list(self.tree.values())
        for operation in log:
            getattr(self, operation[0])(*operation[1:])

    def create(self, path, empty=b""):
        inode = self.tree[path] = Inode(empty)
        self.inodes.append(inode)
        self._rename(path, lambda names, name: names | {name: inode})

    def mkdir(self, path):
        self.create(path, {})

    def write(self, path, data):
        self.tree[path].pending.append(lambda before, fate: before + (data if fate == "kept" else bytes(len(data))))

    def sync(self, path):
        self.tree[path].sync()

    def rename(self, old, new):
        inode, was = self.tree[old], os.path.basename(old)
        inside = [path for path in self.tree if path == old or path.startswith(old + os.sep)]
        self.tree |= {new + path[len(old) :]: self.tree.pop(path) for path in inside}
        self._rename(new, lambda names, name: {k: v for k, v in names.items() if k != was} | {name: inode})

    def remove(self, path):
        self.tree.pop(path)
        self._rename(path, lambda names, name: {k: v for k, v in names.items() if k != name})

    def _rename(self, path, change):
        folder, name = os.path.split(path)
        self.tree[folder].pending.append(lambda names, fate: change(names, name))

    def unsynced(self):
        """How many changes could be lost."""
        return sum(len(inode.pending) for inode in self.inodes)

    def crash(self, fates, into):
        """Write into the folder `into` what is left when the unsynced changes have these fates, one for each."""
        fates, values = iter(fates), {}
        for inode in self.inodes:
            values[inode] = inode.after([next(fates) for _ in inode.pending])
        self._pour(values, self.root, into)

    def _pour(self, values, inode, into):
        os.mkdir(into)
        for name, inner in values[inode].items():
            path = os.path.join(into, name)
            if isinstance(values[inner], dict):
                self._pour(values, inner, path)
            else:
                with open(path, "wb") as file:
                    file.write(values[inner])
