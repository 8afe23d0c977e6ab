"""Graphs of gates: random expressions against `jax.grad`, and the drawing."""

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fnn import variable
from fnn.lessons import graphs
from tests.helpers.support import assert_trees_close

X, Y, Z = (variable(name) for name in "xyz")
FORMULAS = {
    "exp(sin x^2)": (graphs.exp(graphs.sin(graphs.square(X))), lambda x: jnp.exp(jnp.sin(x**2)), (0.7,)),
    "two ways from one variable": (X * X * (X * X * X), lambda x: x**5, (1.5,)),
    "a variable minus itself": (X - X, lambda x: x - x, (3.0,)),
    "every operator": (
        (1 - X) / (2 + Y) - 3 / (X * 2 - 0.5) + (-Y),
        lambda x, y: (1 - x) / (2 + y) - 3 / (2 * x - 0.5) - y,
        (0.7, 1.1),
    ),
    "a maximum": (
        graphs.largest(X * Y, Z, 0.5) * X,
        lambda x, y, z: jnp.max(jnp.stack([x * y, z, jnp.asarray(0.5)])) * x,
        (2.0, 3.0, 4.0),
    ),
    "a product with 0": (X * Y, lambda x, y: x * y, (0.0, 3.0)),
    "a neuron": (
        -graphs.log(graphs.sigmoid(0.5 * X - 0.25 * Y + Z)),
        lambda x, y, z: -jnp.log(jax.nn.sigmoid(0.5 * x - 0.25 * y + z)),
        (1.0, 2.0, 0.2),
    ),
}


@pytest.mark.parametrize(("graph", "formula", "at"), FORMULAS.values(), ids=FORMULAS)
def test_backprop_is_autodiff_of_the_formula(graph, formula, at):
    with jax.enable_x64(True):
        at = tuple(jnp.asarray(v) for v in at)
        value, by = graphs.backprop(graph, dict(zip("xyz", at, strict=False)))
        assert_trees_close(value, formula(*at))
        assert_trees_close(tuple(by.values()), jax.grad(formula, tuple(range(len(at))))(*at))


def test_the_notes_example_in_twelve_digits():
    with jax.enable_x64(True):
        value, by = graphs.backprop(graphs.exp(graphs.sin(graphs.square(X))), {"x": 0.7})
        assert float(value) == pytest.approx(1.60099592411, rel=1e-11)
        assert float(by["x"]) == pytest.approx(1.97765583448, rel=1e-11)
        assert float(by["x"]) == pytest.approx(2 * 0.7 * math.cos(0.49) * math.exp(math.sin(0.49)), rel=1e-14)


UNARY = (graphs.exp, graphs.sin, graphs.square, graphs.sigmoid)
PLAIN = (jnp.exp, jnp.sin, jnp.square, jax.nn.sigmoid)


@settings(deadline=None, derandomize=True, max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=12))
def test_backprop_is_autodiff_for_random_graphs(choices):
    """A row of operations, each on what was there before it, so most nodes fan out."""

    def built(start, unary, largest):
        nodes = [*start]
        for which, i, j in choices:
            a, b = nodes[i % len(nodes)], nodes[j % len(nodes)]
            binary = (a + b, a * 0.5 * b, a - b, largest(a, b))
            nodes.append(binary[which - 4] if which > 3 else unary[which](a * 0.1))
        return sum(nodes[3:], start=nodes[0] * nodes[1] * nodes[2])

    def plain(x, y, z):
        return built((x, y, z), PLAIN, lambda a, b: jnp.where(a >= b, a, b))

    with jax.enable_x64(True):
        at = tuple(jnp.asarray(v) for v in (0.3, -1.2, 0.9))
        value, by = graphs.backprop(built((X, Y, Z), UNARY, graphs.largest), dict(zip("xyz", at, strict=True)))
        expected, gradient = jax.value_and_grad(plain, (0, 1, 2))(*at)
        assert float(value) == pytest.approx(float(expected), rel=1e-12)
        for got, want in zip(by.values(), gradient, strict=True):
            assert float(got) == pytest.approx(float(want), rel=1e-12, abs=1e-12)


def test_a_graph_is_a_pure_function_like_any_other():
    graph = graphs.sin(X * X)

    def derivative(x):
        return graphs.backprop(graph, {"x": x})[1]["x"]

    x = jnp.linspace(0, 1, 5)
    np.testing.assert_allclose(jax.jit(jax.vmap(derivative))(x), 2 * x * jnp.cos(x * x), rtol=1e-5)
    np.testing.assert_allclose(jax.grad(derivative)(0.5), 2 * np.cos(0.25) - 4 * 0.25 * np.sin(0.25), rtol=1e-5)


def test_a_gate_of_ones_own_works():
    @dataclass(frozen=True)
    class Cube:
        def forward(self, inputs):
            return inputs[0] ** 3

        def backward(self, inputs, delta):
            return (delta * 3 * inputs[0] ** 2,)

    value, by = graphs.backprop(graphs.apply(Cube(), X) + 1, {"x": 2.0})
    assert (float(value), float(by["x"])) == (9, 12)
    assert "cube" in graphs.drawn(graphs.apply(Cube(), X), {"x": 2.0})


def test_the_drawing_has_every_value_and_every_delta():
    total = X * Y
    said = graphs.drawn(graphs.exp(total) + total, {"x": 2.0, "y": 0.5}).splitlines()
    assert [line.split() for line in said] == [
        ["gate", "value", "delta"],
        ["add", "3.71828", "1"],
        ["├─", "exp", "2.71828", "1"],
        ["│", "└─", "multiply", "#1", "1", "3.71828"],
        ["│", "├─", "x", "2", "1.85914"],
        ["│", "└─", "y", "0.5", "7.43656"],
        ["└─", "multiply", "#1,", "as", "above", "1", "3.71828"],
    ]
    assert len({len(line) for line in said}) == 1


def test_a_long_chain_needs_no_recursion():
    y = X
    for _ in range(3000):
        y = y + 1
    assert float(graphs.backprop(y, {"x": 0.0})[0]) == 3000


@pytest.mark.parametrize("values", [{}, {"x": 1.0, "z": 1.0}, {"x": 1.0, "y": 1.0, "z": 1.0}])
def test_a_missing_value_is_named(values):
    with pytest.raises(ValueError, match=r"values for \[.*variables of the graph are \['x', 'y'\]; give a number") as e:
        graphs.forward(X * Y, values)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("run", [graphs.forward, graphs.backprop])
def test_arrays_are_for_vmap(run):
    y = graphs.largest(variable("p"), variable("q"))
    with pytest.raises(ValueError, match=r"q has shape \(3,\); expected a scalar: jax.vmap"):
        run(y, {"p": 1.0, "q": np.arange(3.0)})
    many = jax.vmap(lambda p, q: run(y, {"p": p, "q": q}))(jnp.array([1.0, 5.0]), jnp.array([4.0, 2.0]))
    assert jax.tree.leaves(many)[0].tolist() == [4.0, 5.0]


def chain(gates):
    y = X
    for _ in range(gates):
        y = y + 0.5
    return y


def test_a_deep_graph_is_drawn_in_parts_with_every_value_and_every_delta():
    lines = graphs.drawn(chain(100), {"x": 1.0}).splitlines()
    assert len({len(line) for line in lines}) == 1
    below = [line.split() for line in lines if "below" in line]
    assert [line.split() for line in lines if line.startswith("add")] == [
        ["add", "51", "1"],
        ["add", "#1", "31", "1"],
        ["add", "#2", "11", "1"],
    ]
    assert [line[-5:] for line in below] == [["#1,", "as", "below", "31", "1"], ["#2,", "as", "below", "11", "1"]]
    values = [float(line.split()[-2]) for line in lines if "add" in line and "below" not in line]
    assert values == [51 - k / 2 for k in range(100)]
    assert sum("x" in line for line in lines) == 1


def test_a_gate_that_is_deep_and_used_twice_is_drawn_once():
    deep = graphs.sin(X)
    y = deep
    for _ in range(45):
        y = y + 0.5
    said = graphs.drawn(y * deep * y, {"x": 1.0})
    assert len([line for line in said.splitlines() if "sin" in line and "as" not in line]) == 1


@pytest.mark.long
@pytest.mark.parametrize("gates", [1500, 15_000])
def test_a_deep_graph_needs_no_recursion(gates):
    y = chain(gates)
    assert len(graphs.drawn(y, {"x": 0.0}).splitlines()) == 1 + 2 * gates + 1 + (gates - 1) // 40
    assert repr(y) == "<Node add, 2 inputs>"


def test_the_text_of_a_graph_does_not_grow_with_the_paths_through_it():
    y = X
    for _ in range(60):
        y = y * y
    assert len(repr(y)) < 80
    assert len(graphs.drawn(y, {"x": 1.0}).splitlines()) < 200
