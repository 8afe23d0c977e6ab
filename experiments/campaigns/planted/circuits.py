"""Bugs for the rows of `experiments/notes/circuits.py`."""

from experiments.campaigns.planting import Bug, scaled

OTHER_SIGN = Bug(
    "fnn.lessons.truth_tables:from_threshold", lambda right: lambda W, t: right(W, -t), "the bias is plus the threshold"
)


def carrying_wrong(right):
    """`adder` with a carry that forgets the carry from below."""

    def adder(bits):
        circuit = right(bits)
        return type(circuit)(circuit.n, circuit.gates, (circuit.outputs[1], *circuit.outputs[1:]))

    return adder


BUGS = {
    "000-06": OTHER_SIGN,
    "000-08": Bug("fnn.costs:CrossEntropy.delta", scaled(-1), "goes uphill"),
    "000-23": Bug("fnn.activation_functions:Identity.f", lambda right: lambda f, z: z * z, "squares"),
    "003-05": OTHER_SIGN,
    "003-07": Bug("fnn.lessons.logic:adder", carrying_wrong, "gives a sum for the carry"),
}
UNFLIPPED = {}
