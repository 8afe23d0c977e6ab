"""A loop that causes no problem: two threshold units that feed each other, one step of time after the other.

    python -m experiments.notes.loops [FOLDER]      2 s, a picture into FOLDER (runs/loops)

In a recurrent net the outputs of a layer at time t - 1 are inputs of the same layer at time t. So nothing has to be
known before it is computed. Unrolled, each step of time is one more layer of a feedforward net, with the same params.
"""

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.notes.findings import Finding, judged, main
from fnn import Dense, Step
from fnn.layers import DenseParams
from fnn.plots import curves, room

NET, TIMES = (Dense(2), Step()), 16
EXCITE, INHIBIT = 1, 11  # when the first unit gets a push, and when both get a brake
LOOP = np.array([[0, 1.0], [1, 0]])  # unit 1 hears unit 2, and unit 2 hears unit 1
INPUT = np.array([[1, -2.0], [0, -2]])  # the push is for unit 1, the brake for both


def events():
    """The push and the brake at each time, `(TIMES, 2)`."""
    x = np.zeros((TIMES, 2), np.float32)
    x[EXCITE, 0] = x[INHIBIT, 1] = 1
    return x


def fired(x, loop=LOOP):
    """What the two units answer at each time, `(len(x), 2)`: a scan over time, from silence."""
    W = jnp.asarray(np.hstack([INPUT, loop]), jnp.float32)
    params = (DenseParams(W, jnp.full(2, -0.5)), ())

    def on(a, now):
        a = fnn.forward(NET, params, jnp.concatenate([now, a])[None])[0]
        return a, a

    return np.asarray(jax.lax.scan(on, jnp.zeros(2), jnp.asarray(x))[1])


def unrolled(a, layers):
    """The answers of so many equal layers, one after the other, to what the units said when the push was over."""
    params = (DenseParams(jnp.asarray(LOOP, jnp.float32), jnp.full(2, -0.5)), ())
    return np.stack([np.asarray(v)[0] for v in fnn.activations(NET * layers, params * layers, a[None])[2::2]])


def loops_are_no_problem():
    """In a recurrent net the units feed each other; over time their loops cause no problem (000-24)."""
    a, without = fired(events()), fired(events(), 0 * LOOP)
    text = ["".join("-1"[int(one)] for one in unit) for unit in a.T]
    turns = np.arange(TIMES - EXCITE) % 2
    expected = np.stack([1 - turns, turns], axis=1) * (np.arange(EXCITE, TIMES) < INHIBIT)[:, None]
    same = (unrolled(a[EXCITE], INHIBIT - EXCITE - 1) == a[EXCITE + 1 : INHIBIT]).all()
    return Finding(
        "000-24",
        "A recurrent net, unlike a feedforward net, has loops: a cascade of firing units. The loops cause no problem.",
        f"two perceptrons that feed each other, a push at time {EXCITE}, a brake at time {INHIBIT}: unit 1 {text[0]}, "
        f"unit 2 {text[1]}; without the loop {int(without.sum())} spike(s); the same as a "
        f"feedforward net with a layer for each step of time: {same} (such nets are shown here, not trained)",
        "the units fire in turn until the brake, long after the push; 1; True",
        judged((a[EXCITE:] == expected).all() and not a[:EXCITE].any() and without.sum() == 1 and same),
    )


CLAIMS = (loops_are_no_problem,)


def pictures(folder):
    """The push, the brake and the two units over time."""
    x, a = events(), fired(events())
    rows = {"brake (both units)": x[:, 1], "push (unit 1)": x[:, 0], "unit 2": a[:, 1], "unit 1": a[:, 0]}
    title = "Two units that feed each other keep a pulse going: a loop over time is no problem"
    with room.picture(folder / "loops.png", title, height=6.5) as fig:
        axes = fig.subplots()
        for height, (name, values) in enumerate(rows.items()):
            unit = name in ("unit 1", "unit 2")
            axes.step(np.arange(TIMES), height + 0.7 * values, where="mid", color=curves.PALETTE[0 if unit else 1])
        axes.set_yticks(np.arange(4) + 0.35, list(rows))
        axes.set(xlabel="step of time", xlim=(-0.5, TIMES - 0.5), xticks=range(0, TIMES, 2), ylim=(-0.2, 4))
        axes.grid(axis="x")
    return ("loops.png",)


if __name__ == "__main__":
    main(CLAIMS, pictures)
