"""What `docs/coming_from.md` says of PyTorch: momentum, weight decay and losses against ours. Skipped without it."""

import jax
import numpy as np
import pytest

import fnn
from tests.helpers.support import draw, draw_params

torch = pytest.importorskip("torch")

NET = (fnn.Dense(4), fnn.Tanh(), fnn.Dense(3))
COSTS = {
    "CrossEntropyLoss": (fnn.LogLikelihood(), 1),
    "BCEWithLogitsLoss": (fnn.CrossEntropy(), 3),  # the mean over all entries: ours by the number of outputs
    "MSELoss": (fnn.Quadratic(fnn.Identity()), 3 / 2),  # and without the half
}


@pytest.fixture
def example():
    """Params, and examples whose desired outputs all three losses take, in float64."""
    with jax.enable_x64(True):
        (x,) = draw(1, (8, 3))
        yield draw_params(NET, 0, (3,)), x, np.eye(3)[np.arange(8) % 3]


def model_of(params):
    """The same net in PyTorch: W has their orientation."""
    linear = [torch.nn.Linear(3, 4, dtype=torch.float64), torch.nn.Linear(4, 3, dtype=torch.float64)]
    model = torch.nn.Sequential(linear[0], torch.nn.Tanh(), linear[1])
    arrays = {
        f"{i}.{name}": a for i, p in enumerate(params) if p for name, a in zip(("weight", "bias"), p, strict=True)
    }
    model.load_state_dict({name: torch.tensor(np.asarray(a)) for name, a in arrays.items()})
    return model


@pytest.mark.parametrize("name", COSTS)
def test_a_loss_is_our_cost_by_a_factor(name, example):
    params, x, y = example
    cost, factor = COSTS[name]
    z = model_of(params)(torch.tensor(np.asarray(x)))
    loss = getattr(torch.nn, name)()(z, torch.tensor(y))
    assert float(cost.value(fnn.forward(NET, params, x), y)) == pytest.approx(factor * loss.item(), rel=1e-12)


def test_three_steps_with_momentum_and_decay_of_the_weights_are_theirs(example):
    params, x, y = example
    model, sgd = model_of(params), fnn.SGD(eta=0.1, mu=0.9, lmbda=0.3)
    groups = [{"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": 0.3}]
    groups += [{"params": [p for p in model.parameters() if p.ndim == 1]}]
    optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.9)
    v = sgd.init(params)
    for _ in range(3):
        params, v = fnn.step(NET, fnn.LogLikelihood(), sgd, params, v, x, y, fnn.backprop)
        optimizer.zero_grad()
        torch.nn.CrossEntropyLoss()(model(torch.tensor(np.asarray(x))), torch.tensor(y)).backward()
        optimizer.step()
    for ours, theirs in zip(jax.tree.leaves(params), model.parameters(), strict=True):
        np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-11)
