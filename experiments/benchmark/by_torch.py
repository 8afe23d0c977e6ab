"""PyTorch, eager: `nn.Sequential`, `backward()` and `torch.optim.SGD`, one mini-batch at a time."""

from __future__ import annotations

import jax
import torch
from torch import nn

from experiments.benchmark.tasks import Layers, Task, timed

ACTIVATIONS = {"sigmoid": nn.Sigmoid, "relu": nn.ReLU}


THREADS = torch.get_num_threads()  # PyTorch's own default


def with_its_threads(task: Task) -> Network:
    """With PyTorch's default number of threads."""
    return Network(task, THREADS)


def with_one_thread(task: Task) -> Network:
    """With one thread, which suits small nets: no thread waits for another one within an operation."""
    return Network(task, 1)


class Network:
    """The module, its optimiser, and the data as tensors; on a GPU if that is where JAX is too."""

    def __init__(self, task: Task, threads: int) -> None:
        """Copies the start into the module."""
        self.task, self.threads = task, threads
        self.gpu = jax.default_backend() == "gpu" and torch.cuda.is_available()
        self.all_bits = jax.config.jax_default_matmul_precision == "highest" or not self.gpu  # else TF32, as JAX
        device = "cuda" if self.gpu else "cpu"
        self.x = torch.from_numpy(task.data.pixels).to(device)
        self.y = torch.from_numpy(task.data.targets).to(device)
        self.model = sequential(task).to(device)
        self.cost = COSTS[task.cost]
        self.sgd = torch.optim.SGD(self.model.parameters(), lr=task.eta)

    @timed
    def epoch(self, seed: int) -> None:
        """The usual five lines."""
        torch.set_num_threads(self.threads)  # both settings are of the whole process, so every epoch makes them
        torch.set_float32_matmul_precision("highest" if self.all_bits else "high")
        for rows in torch.from_numpy(self.task.batches(seed)).to(self.x.device):
            self.sgd.zero_grad()
            value = self.cost(self.model(self.x[rows]), self.y[rows])
            value.backward()
            self.sgd.step()
        if self.gpu:
            torch.cuda.synchronize()

    def params(self) -> list[Layers]:
        """Of the one network."""
        leaves = [leaf.detach().cpu().numpy() for leaf in self.model.parameters()]
        return [list(zip(leaves[::2], leaves[1::2], strict=True))]


def sequential(task: Task) -> nn.Sequential:
    """The task's network up to its raw output, from the task's start."""
    modules = [nn.Unflatten(1, (1, 28, 28))] if task.filters else []
    for i, (W, b) in enumerate(task.start):
        layer = nn.Conv2d(*W.shape[1::-1], W.shape[2]) if W.ndim == 4 else nn.Linear(*W.shape[::-1])
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(W))
            layer.bias.copy_(torch.from_numpy(b))
        modules += [layer, *([nn.MaxPool2d(2)] if W.ndim == 4 else []), ACTIVATIONS[task.activation]()]
        modules += [nn.Flatten()] if i + 1 == len(task.filters) else []
    return nn.Sequential(*modules[:-1])


def quadratic(z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """`½ ‖σ(z) − y‖²`, mean over rows."""
    return 0.5 * (torch.sigmoid(z) - y).square().sum(dim=1).mean()


COSTS = {"quadratic": quadratic, "log-likelihood": nn.functional.cross_entropy}
