"""Configs that several tests train."""

GOOD = """
name = "good"
[data]
source = "digits"
validation = 100
test = 300
[network]
layers = [{ type = "Dense", units = 5 }, { type = "Sigmoid" }, { type = "Dense", units = 10 }]
cost = { type = "Quadratic", activation = "Sigmoid" }
[training]
optimizer = { type = "SGD", eta = 3.0 }
batch_size = 10
epochs = 2
"""
SMALL = (  # one layer, three short epochs
    GOOD.replace('{ type = "Dense", units = 5 }, { type = "Sigmoid" }, ', "")
    .replace("batch_size = 10", "batch_size = 18")
    .replace("epochs = 2", "epochs = 3")
)
GRID = GOOD + "\n[sweep]\neta = [0.5, 3.0]\nlmbda = [0.0, 0.01]\nseeds = 2\n"
