"""Rules of optax as optimisers of fnn, and the other way."""

import inspect
import json
import re
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn import SGD, cli
from fnn.interop.optax import Optax, config_class, transformation, weights
from fnn.runs import keeper
from fnn.training import fitting
from fnn.training.order import permutation
from tests.helpers.configs import SMALL
from tests.helpers.runs import bytes_of, only, stopping
from tests.helpers.support import assert_trees_close, fails
from tests.helpers.training import COST, KEY, NET, bits, fit, params_of, some

optax = pytest.importorskip("optax")
COMPILED = "/jax/core/compile/backend_compile_duration"
EXAMPLES, PARAMS = some(30), params_of(NET)
RULES = {
    name: rule
    for name, rule in vars(optax).items()
    if inspect.isfunction(rule) and name[0] != "_" and "learning_rate" in inspect.signature(rule).parameters
}
OTHERS = {"lbfgs", "noisy_sgd", "optimistic_adam"}  # needs more than the gradient; needs a key; deprecated
ADAMW = Optax(optax.adamw, learning_rate=1e-2, weight_decay=1e-1)


def trained(optimizer, **settings):
    *_, last = fit(EXAMPLES, **({"params": PARAMS, "net": NET, "optimizer": optimizer, "epochs": 2} | settings))
    return last


def by_optax(rule, epochs=2):
    """The params after the same mini-batches in a loop as optax documents it, with the gradient of `jax.grad`."""
    params, state = PARAMS, rule.init(PARAMS)
    x, y = EXAMPLES.rows(slice(None))
    for epoch in range(1, epochs + 1):
        order = np.asarray(permutation(jax.random.fold_in(KEY, epoch), EXAMPLES.n))
        for i in range(0, EXAMPLES.n, 4):
            _, gradient = jax.jit(fnn.autodiff)(NET, COST, params, x[order[i : i + 4]], y[order[i : i + 4]])
            with jax.numpy_dtype_promotion("standard"):
                changes, state = jax.jit(rule.update)(gradient, state, params)
                params = optax.apply_updates(params, changes)
    return params


def test_a_training_is_the_loop_of_optax():
    assert_trees_close(trained(ADAMW).params, by_optax(optax.adamw(1e-2, weight_decay=1e-1)))


def test_other_numbers_compile_nothing(programs):
    trained(ADAMW)
    before = programs[COMPILED]
    last = trained(Optax(optax.adamw, learning_rate=3e-3, weight_decay=1e-2))
    assert programs[COMPILED] == before
    assert float(last.params[0].W[0, 0]) != float(trained(ADAMW).params[0].W[0, 0])


def test_a_schedule_scales_the_learning_rate_alone():
    assert repr(ADAMW.scaled(0.5)) == "Optax(adamw, learning_rate=0.005, weight_decay=0.1)"
    first, second = fit(EXAMPLES, params=PARAMS, net=NET, optimizer=ADAMW, schedule=Halved(), epochs=2)
    from_there = {"params": first.params, "start": first.start._replace(progress=fnn.Progress(epoch=1))}
    (again,) = fit(EXAMPLES, net=NET, optimizer=ADAMW.scaled(0.5), epochs=1, **from_there)
    assert bits(again.params) == bits(second.params)


@fnn.static
class Halved(fnn.Constant):
    def after(self, progress, score):
        return progress._replace(factor=0.5)


def test_a_training_goes_on_with_the_moments():
    first = trained(ADAMW, epochs=1)
    assert bits(trained(ADAMW, params=first.params, start=first.start, epochs=1).params) == bits(trained(ADAMW).params)


def test_the_networks_of_a_sweep_have_each_its_numbers():
    rates, keys = [1e-3, 1e-2], jax.random.split(jax.random.key(3), 2)
    many = jax.vmap(lambda key: fnn.init(NET, key, (5,)))(keys)
    each = Optax(optax.adamw, learning_rate=jnp.array(rates), weight_decay=1e-1)
    *_, last = fnn.sweep(NET, COST, each, many, EXAMPLES, KEY, batch_size=4, epochs=2)
    for i, rate in enumerate(rates):
        one = trained(
            Optax(optax.adamw, learning_rate=rate, weight_decay=1e-1), params=jax.tree.map(lambda p, i=i: p[i], many)
        )
        assert_trees_close(jax.tree.map(lambda p, i=i: p[i], last.params), one.params)


@pytest.mark.parametrize("name", sorted(set(RULES) - OTHERS))
def test_every_rule_makes_a_step_and_keeps_the_dtypes(name):
    def step(optimizer, params):
        v = optimizer.init(params)
        return v, optimizer.update(params, v, params)

    for kind in ("float32", "bfloat16"):
        params = jax.tree.map(lambda p, kind=kind: p.astype(kind), PARAMS)
        v, (after, then) = jax.eval_shape(step, Optax(RULES[name], learning_rate=jnp.float32(0.1)), params)
        for before, later in ((params, after), (v, then)):
            kinds = [jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), tree) for tree in (before, later)]
            assert kinds[0] == kinds[1]


def test_weights_alone_decay_with_the_mask():
    zeros = jax.tree.map(jnp.zeros_like, PARAMS)
    ones = jax.tree.map(jnp.ones_like, PARAMS)
    sgd = {"learning_rate": 0.5, "weight_decay": 0.5}
    for mask, b in ((None, 0.75), (weights, 1.0)):
        rule = Optax(optax.adamw, mask=mask, **sgd)
        (after, *_), _ = rule.update(ones, rule.init(ones), zeros)
        assert (float(after.W[0, 0]), float(after.b[0])) == (0.75, b)


def clipped(learning_rate, norm):
    return optax.chain(optax.clip_by_global_norm(norm), optax.adam(optax.linear_schedule(learning_rate, 0.0, 100)))


def test_a_function_of_ones_own_is_a_rule():
    own = trained(Optax(clipped, learning_rate=0.1, norm=0.01))
    assert_trees_close(own.params, by_optax(clipped(0.1, 0.01)))


REFUSED = {
    "a bare object in fit": (
        lambda: trained(optax.adam(0.1)),
        TypeError,
        "optimizer is the GradientTransformationExtra",
    ),
    "a bare object in step": (
        lambda: fnn.step(NET, COST, optax.adam(0.1), PARAMS, (), *EXAMPLES.rows(slice(4)), fnn.backprop),
        TypeError,
        "of optax, whose numbers are hidden in it; expected such as fnn.interop.optax.Optax(optax.adam, learning_rate",
    ),
    "an object": (
        lambda: Optax(optax.adam(0.1)),
        TypeError,
        "got an object GradientTransformationExtraArgs, whose num",
    ),
    "no function": (lambda: Optax(0.1), TypeError, "Optax: got 0.1; expected a function of optax, such as optax.adam."),
    "lbfgs": (
        lambda: trained(Optax(optax.lbfgs, learning_rate=1.0)),
        ValueError,
        "each step needs 'value', 'grad', and",
    ),
    "polyak_sgd": (
        lambda: Optax(optax.polyak_sgd),
        ValueError,
        "Optax(polyak_sgd): each step needs 'value', and fnn g",
    ),
    "no rate": (
        lambda: Optax(optax.scale, step_size=0.1),
        TypeError,
        "Optax(scale): has no learning_rate, which a sche",
    ),
    "a schedule": (
        lambda: Optax(optax.adam, learning_rate=optax.constant_schedule(0.1)),
        TypeError,
        "adam: learning_rate is a schedule of optax, which fnn cannot scale; expected a number. Use a schedule of fnn",
    ),
    "a text": (
        lambda: Optax(optax.adam, learning_rate="0.1"),
        TypeError,
        "adam: learning_rate is '0.1'; expected a num",
    ),
    "below 0": (
        lambda: Optax(optax.adam, learning_rate=-1),
        ValueError,
        "adam: learning_rate is -1; expected at least",
    ),
    "nan": (
        lambda: Optax(optax.adam, learning_rate=np.nan),
        ValueError,
        "adam: learning_rate is nan; expected at least",
    ),
    "another argument": (
        lambda: trained(Optax(optax.adam, learning_rate=0.1, beta=0.9)),
        TypeError,
        "Optax(adam, learning_rate=0.1, beta=0.9): adam() got an unexpected keyword argument 'beta'.",
    ),
    "a list": (
        lambda: Optax(optax.adamw, learning_rate=0.1, mask=[True]),
        TypeError,
        "Optax(adamw): mask is a list, which cannot be hashed; expected a float, an array, or a constant",
    ),
    "no rule": (
        lambda: trained(Optax(lambda learning_rate: None, learning_rate=0.1)),
        TypeError,
        "the function gave None; expected a rule, such as optax.adam(0.1) is.",
    ),
    "the other way round": (
        lambda: transformation(optax.adam(0.1)),
        TypeError,
        "expected an optimiser of fnn, such as",
    ),
}


@pytest.mark.parametrize(("use", "kind", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_work_is_one_line(use, kind, said):
    with pytest.raises(kind, match=re.escape(said)) as caught:
        use()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("sgd", [SGD(0.1), SGD(0.1, mu=0.9, lmbda=0.01)], ids=repr)
def test_a_transformation_makes_the_steps_of_fit(sgd):
    assert_trees_close(by_optax(transformation(sgd)), trained(sgd).params)


def test_a_transformation_goes_into_a_chain():
    sgd = SGD(0.1, mu=0.9)
    chained = optax.chain(optax.clip(1e-3), transformation(sgd))
    changes, _ = jax.jit(chained.update)(PARAMS, chained.init(PARAMS), PARAMS)
    clipped = jax.tree.map(lambda p: -0.1 * jnp.clip(p, -1e-3, 1e-3), PARAMS)
    assert_trees_close(optax.apply_updates(PARAMS, changes), optax.apply_updates(PARAMS, clipped))
    with pytest.raises(ValueError, match=r"update needs the params; call update\(gradient, v, params\)"):
        transformation(sgd).update(PARAMS, sgd.init(PARAMS))


def test_without_optax_there_is_one_line(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "optax", None)
    with pytest.raises(fnn.InputError, match=r"optax is not installed; get it with  pip install 'fnn\[optax\]'"):
        transformation(SGD(0.1))
    (tmp_path / "own.py").write_text(OWN)
    fails(capsys, 2, "get it with  pip install 'fnn[optax]'", "run", "digits", "--type", f"{tmp_path / 'own.py'}:AdamW")


OWN = """
import optax
from fnn.interop.optax import config_class, weights
AdamW = config_class("AdamW", optax.adamw, learning_rate=1e-3, weight_decay=1e-4, mask=weights, nesterov=False)
"""


def test_a_class_for_configs_is_its_rule():
    made = config_class("AdamW", optax.adamw, learning_rate=1, weight_decay=1e-4, mask=weights, nesterov=False)
    assert repr(made()) == "AdamW(learning_rate=1.0, weight_decay=0.0001, nesterov=False)"
    assert jax.tree.leaves(made(0.5)) == [0.5, 1e-4]
    assert made(0.5).scaled(0.5) == made(0.25)
    plain = Optax(optax.adamw, learning_rate=0.1, weight_decay=1e-4, mask=weights, nesterov=False)
    assert bits(trained(made(0.1)).params) == bits(trained(plain).params)
    with pytest.raises(ValueError, match=r"AdamW: learning_rate is -0\.5; expected at least 0"):
        made(-0.5)


def test_a_run_names_it_goes_on_to_the_same_bytes_and_is_verified(tmp_path, capsys, monkeypatch, no_pictures):
    monkeypatch.setattr(fitting, "SEGMENT_SECONDS", 0.0)
    (tmp_path / "own.py").write_text(OWN)
    config = tmp_path / "adamw.toml"
    config.write_text(SMALL.replace('{ type = "SGD", eta = 3.0 }', '{ type = "AdamW", learning_rate = 0.002 }'))
    names = ["--type", f"{tmp_path / 'own.py'}:AdamW"]
    stop = stopping(monkeypatch, keeper.Keeper)

    def run(out, *options):
        status = cli.main(["run", str(config), "--out", str(tmp_path / out), *names, *options])
        return status, capsys.readouterr().err

    assert run("whole") == (0, "")
    whole = only(tmp_path / "whole")
    described = json.loads((whole / "config.json").read_text())
    assert (described["types"], described["training"]["optimizer"]) == (
        names[1:],
        {"type": "AdamW", "learning_rate": 0.002, "weight_decay": 0.0001, "nesterov": False},
    )
    fails(capsys, 2, f"was trained with a class of your own; name it again: {' '.join(names)}.", "verify", str(whole))
    assert cli.main(["verify", str(whole), *names]) == 0
    stop(16)
    assert run("stopped", "--checkpoint", "0")[0] == 143
    stop(0)
    assert run("stopped", "--resume")[0] == 0
    assert bytes_of(only(tmp_path / "stopped")) == bytes_of(whole)
    assert run("short", "--set", "training.epochs=1")[0] == 0
    assert run("short", "--resume")[0] == 0
    longer = max((tmp_path / "short").iterdir(), key=lambda folder: (folder / "metrics.jsonl").stat().st_size)
    assert bytes_of(longer) == bytes_of(whole)
    message = "AdamW: learning_rate is -1.0; expected at least 0."
    fails(capsys, 2, message, "run", str(config), *names, "--set", "training.optimizer.learning_rate=-1")
