"""The digits by PyTorch, eager: its usual five lines per mini-batch; after each epoch the three parts are evaluated."""

from __future__ import annotations

import torch
from torch import nn

from experiments.benchmark.digits_task import BATCH_SIZE, EPOCHS, ETA, LMBDA, MU, UNITS, arguments, finish


def main() -> None:
    """Train, evaluate, draw."""
    torch.set_num_threads(1)  # suits so small a net
    torch.manual_seed(0)
    arrays, picture = arguments()
    parts = {part: (torch.from_numpy(x), torch.from_numpy(labels)) for part, (x, labels) in arrays.items()}
    model = nn.Sequential(nn.Linear(64, UNITS), nn.ReLU(), nn.Linear(UNITS, 10))
    sgd = optimizer(model)
    history: dict[str, list[tuple[float, float]]] = {part: [] for part in parts}
    for _ in range(EPOCHS):
        epoch(model, sgd, *parts["train"])
        for part, (x, labels) in parts.items():
            history[part].append(evaluated(model, x, labels))
    finish(history, picture)


def optimizer(model: nn.Module) -> torch.optim.SGD:
    """SGD that penalises weights, and no biases."""
    weights, biases = ([p for p in model.parameters() if (p.ndim == 1) == bias] for bias in (False, True))
    return torch.optim.SGD([{"params": weights, "weight_decay": LMBDA}, {"params": biases}], lr=ETA, momentum=MU)


def epoch(model: nn.Module, sgd: torch.optim.SGD, x: torch.Tensor, labels: torch.Tensor) -> None:
    """Once through the examples in a random order."""
    for rows in torch.randperm(len(x)).split(BATCH_SIZE):
        sgd.zero_grad()
        value = nn.functional.cross_entropy(model(x[rows]), labels[rows])
        value.backward()
        sgd.step()


@torch.no_grad()
def evaluated(model: nn.Module, x: torch.Tensor, labels: torch.Tensor) -> tuple[float, float]:
    """The mean cost in nats, and the accuracy."""
    z = model(x)
    cost = nn.functional.cross_entropy(z, labels)
    return cost.item(), (z.argmax(dim=1) == labels).float().mean().item()


if __name__ == "__main__":
    main()
