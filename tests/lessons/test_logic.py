"""Perceptrons that compute: every function of three inputs, every 4-bit sum, and what no unit can."""

import re
from functools import reduce

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn import Circuit, CrossEntropy, Dense, Sigmoid, Step, circuit, forward, layered, perceptron, truth_table
from fnn.lessons import logic

FUNCTIONS = logic.inputs(8).T  # (8, 256): column f is the f-th function of three inputs
XOR = [0, 1, 1, 0]


def by_hand(net, params, x):
    """The outputs by NumPy, which compiles nothing."""
    return reduce(lambda a, p: (a @ np.asarray(p.W).T + np.asarray(p.b) > 0).astype(float), params[::2], x)


def only_nands_and_repeaters(params):
    rows = [
        (sorted(w[w != 0].tolist()), b)
        for p in params[::2]
        for w, b in zip(np.asarray(p.W), np.asarray(p.b), strict=True)
    ]
    return all(row in (([-2, -2], 3), ([-4], 3), ([2], -1)) for row in rows)


def test_each_function_of_three_inputs_is_exact_by_nands():
    x = logic.inputs(3)
    for outputs in FUNCTIONS.T:
        net, params = layered(truth_table(outputs))
        assert (by_hand(net, params, x)[:, 0] == outputs).all()
        assert only_nands_and_repeaters(params)


def test_all_of_them_at_once_by_the_packages_own_forward():
    net, params = layered(truth_table(FUNCTIONS))
    np.testing.assert_array_equal(jax.jit(forward)(net, params, logic.inputs(3)), FUNCTIONS)


def test_the_adder_is_right_in_all_256_cases():
    net, params = layered(logic.adder(4))
    said = np.asarray(jax.jit(forward)(net, params, logic.inputs(8))) @ 2 ** np.arange(5)[::-1]
    a, b = np.divmod(np.arange(256), 16)
    np.testing.assert_array_equal(said, a + b)
    assert only_nands_and_repeaters(params)


def test_the_half_adder_is_the_books_five_gates():
    assert len(logic.half_adder().gates) == 5
    said = by_hand(*layered(logic.half_adder()), logic.inputs(2))
    assert said.tolist() == [[0, 0], [1, 0], [1, 0], [0, 1]]
    assert by_hand(*layered(logic.adder(1)), logic.inputs(2)).tolist() == said[:, ::-1].tolist()


def test_a_tie_gives_0():
    params = logic.from_threshold(jnp.array([[3.0, 2.0, 2.0]]), jnp.array([5.0]))
    said = forward((Dense(1), Step()), (params, ()), logic.inputs(3))[:, 0]
    assert said.tolist() == [0, 0, 0, 0, 0, 0, 0, 1]  # 5 > 5 does not hold for 101 and 110


def test_threshold_and_bias_are_two_forms_of_one_unit():
    params = logic.from_threshold(jnp.array([[6.0, 2.0, 2.0]]), jnp.array([5.0]))
    assert params.b.tolist() == [-5]
    assert logic.threshold(params).tolist() == [5]


def test_one_perceptron_computes_104_of_the_256_and_the_others_are_refused():
    x, able = logic.inputs(3), 0
    for outputs in FUNCTIONS.T:
        try:
            _, (params, _) = perceptron(outputs)
        except ValueError:
            continue
        able += 1
        z = x @ np.asarray(params.W[0]) + float(params.b[0])
        assert ((z > 0) == outputs).all()
        assert abs(z).min() >= 1
    assert able == 104


@pytest.mark.parametrize("outputs", [XOR, [1, 0, 0, 1], [1, 1, 1, 1, 1, 0, 0, 1]])
def test_the_reason_of_a_refusal_is_true(outputs):
    with pytest.raises(ValueError, match="no single perceptron.*use truth_table") as caught:
        perceptron(outputs)
    left, right = (re.findall(r"(\d*)z\((\d+)\)", side) for side in str(caught.value).split(" = ", 1))
    for side, value in ((left, 1), (right, 0)):
        assert {outputs[int(bits, 2)] for _, bits in side} == {value}
    sums = [sum(int(k or 1) * np.array([*map(int, bits), 1]) for k, bits in side) for side in (left, right)]
    assert (sums[0] == sums[1]).all()  # of inputs and of how many: then of z too, whatever the weights


def test_nands_without_repeaters_compute_monotone_functions_only():
    # why the nets have repeating units: layers of NANDs of everything before, to any depth, never give XOR
    columns = {tuple(c) for c in logic.inputs(2).T.astype(int)}
    for _ in range(6):
        columns = {tuple(1 - np.array(p) * q) for p in columns for q in columns}
        assert tuple(XOR) not in columns
        assert all(len({np.sign(c[i] - c[j]) for i, j in ((0, 1), (0, 2), (1, 3), (2, 3))} - {0}) < 2 for c in columns)


@pytest.mark.parametrize("c", [1.0, 10.0, 100.0])
def test_softened_nand_goes_to_the_table(c):
    net, params = logic.softened(*layered(circuit(2, lambda nand, p, q: nand(p, q))), c)
    assert net == (Dense(1), Sigmoid())
    z = np.array([3.0, 1, 1, -1])
    np.testing.assert_allclose(forward(net, params, logic.inputs(2))[:, 0], 1 / (1 + np.exp(-c * z)), atol=1e-6)


def test_a_softened_adder_adds_once_it_is_sharp_enough():
    net, params = layered(logic.adder(2))
    x = logic.inputs(4)
    exact, run = by_hand(net, params, x), jax.jit(forward)
    softened = logic.softened(net, params, 1.0)[0]
    worst = [abs(run(softened, jax.tree.map(lambda p, c=c: c * p, params), x) - exact).max() for c in (1.0, 5.0, 20.0)]
    assert worst[0] > 0.3 > worst[1] > 1e-7 > worst[2]


def test_ten_digits_in_four_bits():
    net, params = logic.bit_layer()
    assert np.asarray(forward(net, params, jnp.eye(10)) @ jnp.array([8.0, 4, 2, 1])).tolist() == list(range(10))
    soft = logic.softened(net, params, 10.0)
    right = (np.arange(10)[:, None] >> np.arange(4)[::-1]) & 1
    lowest, highest = (  # what the book promises of the layer before: at least .99, and below .01 for the others
        np.asarray(forward(*soft, np.where(np.eye(10) > 0, 0.99, other).astype(np.float32))) for other in (0, 0.01)
    )
    assert lowest[right == 1].min() == pytest.approx(0.992608458656, abs=1e-6)
    assert highest[right == 0].max() == pytest.approx(0.0109869426306, abs=1e-6)


def test_a_hand_set_net_is_a_net_like_any_other():
    net, params = layered(logic.half_adder())
    soft = logic.softened(net, params, 1.0)
    x, y = jnp.asarray(logic.inputs(2)), jnp.zeros((4, 2))
    assert jax.tree.structure(fnn.init(net, jax.random.key(0), (2,))) == jax.tree.structure(params)
    _, gradient = jax.jit(fnn.backprop)(*soft[:1], CrossEntropy(), soft[1], x, y)
    assert jax.tree.structure(gradient) == jax.tree.structure(params)
    assert float(abs(gradient[0].W).max()) > 0


REFUSALS = {
    "a loop": (lambda: Circuit(2, ((0, 3), (1, 2)), (3,)), r"gate 0 takes signal 3; expected 0 to 1.*no loops"),
    "no such signal": (lambda: Circuit(2, ((0, 1),), (5,)), r"output signal 5; expected 0 to 2"),
    "no outputs": (lambda: Circuit(2, (), ()), r"no outputs; it needs at least one"),
    "no inputs": (lambda: circuit(0, lambda nand: 0), r"n=0.*at least 1"),
    "three rows": (lambda: truth_table([0, 1, 1]), r"shape \(3,\): expected \(2\^n,\)"),
    "half a bit": (lambda: truth_table([0, 0.5]), r"entry 0\.5: expected zeros and ones"),
    "two outputs": (lambda: perceptron([[0, 1], [1, 1]]), r"2 outputs: a perceptron has one; use truth_table"),
}


@pytest.mark.parametrize(("wrong", "message"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_says_what_got_expected(wrong, message):
    with pytest.raises(ValueError, match=message) as caught:
        wrong()
    assert "\n" not in str(caught.value)


def test_a_layer_without_a_step_after_it_is_not_scaled():
    net = (Dense(2), Step(), Dense(1))
    params = fnn.init(net, jax.random.key(0), (2,))
    x = jnp.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    np.testing.assert_allclose(forward(*logic.softened(net, params, 1e4), x), forward(net, params, x), atol=1e-4)


@pytest.mark.long
def test_a_deep_circuit_needs_no_recursion_and_one_look_at_each_gate():
    gates = 15_000
    net, params = layered(circuit(1, lambda nand, p: reduce(lambda q, _: nand(q, q), range(gates), p)))
    assert len(net) == len(params) == 2 * gates
    assert only_nands_and_repeaters(params)
    assert by_hand(net, params, logic.inputs(1)).tolist() == [[0], [1]]


def test_an_output_that_is_an_input_needs_no_gate():
    assert by_hand(*layered(Circuit(2, (), (1, 0))), logic.inputs(2)).tolist() == [[0, 0], [1, 0], [0, 1], [1, 1]]
