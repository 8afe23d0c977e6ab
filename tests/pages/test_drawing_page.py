"""`fnn page`: the network in JavaScript, the image of a drawing, and the page in headless Chromium."""

import json
import re

import jax
import numpy as np
import pytest

import fnn
from experiments.notes import strip
from fnn import cli
from fnn.cli.page import whole
from fnn.config.reading import load_config
from fnn.config.sections import TYPES
from fnn.pages.drawing_page import _wanted, title
from fnn.runs import directory, handwriting, preparing
from fnn.runs.drawable import LAYERS, output
from fnn.runs.models import load, save_params
from tests.helpers.browser import Browser, installed
from tests.helpers.drawn import answer, draw
from tests.helpers.hands import ASIDE, TRYING, written
from tests.pages.test_in_a_browser import CONTRAST

TOLERANCE = 1e-5
in_a_browser = pytest.mark.skipif(not installed(), reason="Chromium is not installed")
SMALL = """
name = "small"
[data]
source = "digits"
test = 200
standardise = true
[network]
layers = [{ type = "Dense", units = 8 }, { type = "ReLU" }, { type = "Dense", units = 10 }]
cost = "LogLikelihood"
[training]
optimizer = { type = "SGD", eta = 0.2 }
batch_size = 50
epochs = 3
"""
FLAT, IMAGE = (64,), (1, 14, 18)
NETS = {  # every layer, and the output of every cost
    "maxout": (
        (fnn.Maxout(6, 3), fnn.Tanh(), fnn.Dense(5), fnn.LeakyReLU(0.1), fnn.Dense(10)),
        fnn.CrossEntropy(),
        FLAT,
    ),
    "filters": (
        (
            fnn.ConvPool(4, 3, 2),
            fnn.ReLU(),
            fnn.Conv(3, 3),
            fnn.MaxPool(2),
            fnn.Flatten(),
            fnn.Sigmoid(),
            fnn.Dense(10),
        ),
        fnn.LogLikelihood(),
        IMAGE,
    ),
    "steps": (
        (fnn.Dense(7), fnn.Step(), fnn.Dense(6), fnn.Softmax(), fnn.Identity(), fnn.Dense(10)),
        fnn.Quadratic(),
        FLAT,
    ),
}
ACTIVATIONS = (fnn.Sigmoid(), fnn.Tanh(), fnn.ReLU(), fnn.LeakyReLU(0.2), fnn.Identity(), fnn.Step(), fnn.Softmax())


@fnn.static
class Doubled:
    """A layer of the user's."""

    def init(self, key, shape):
        return (), shape

    def forward(self, params, a):
        return 2 * a

    def backward(self, params, a, delta):
        return (), 2 * delta


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    chromium = Browser(tmp_path_factory.mktemp("profile"))
    yield chromium
    chromium.close()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that standardises its pixels, as it is before the training, with a page."""
    found = tmp_path_factory.mktemp("run")
    (found / "small.toml").write_text(SMALL)
    prepared = preparing.prepare(load_config(found / "small.toml"))
    directory.write_config(found, prepared)
    save_params(found, prepared.params)
    assert cli.main(["page", str(found)]) == 0
    return found


def saved(folder, net, cost, shape, **more):
    """The folder of a network that was never trained."""
    fnn.save(folder, net, cost, fnn.init(net, jax.random.key(0), shape), shape, **more)
    return folder


def told(html):
    """What a page tells its script."""
    text = html.decode() if isinstance(html, bytes) else html
    return json.loads(re.search(r'<script type="application/json" id="network">(.*?)</script>', text)[1])


def opened(browser, folder, types=TYPES):
    """Open the page of a network."""
    (folder / "page.html").write_bytes(whole(folder, load(folder, types), types))
    browser.open(folder / "page.html")


def outputs(browser, raw):
    """What the page computes for inputs in the units of the source."""
    return np.array([browser.run(f"[...outputs(network, {row.ravel().tolist()})]") for row in raw])


def write(browser, hand, digit):
    """Give the page the strokes of a digit, past the pointer."""
    strokes = [{"pen": hand.pen / 100, "points": stroke.tolist()} for stroke in written(hand, digit)]
    browser.run(f"(shown = -1, strokes = {json.dumps(strokes)}, show(true))")


@in_a_browser
@pytest.mark.long
@pytest.mark.parametrize("name", NETS)
def test_every_layer_says_what_predict_says(browser, tmp_path, name):
    net, cost, shape = NETS[name]
    raw = np.random.default_rng(0).uniform(0, 2, (3, *shape)).astype(np.float32)
    folder = saved(tmp_path, net, cost, shape)
    opened(browser, folder)
    np.testing.assert_allclose(outputs(browser, raw), load(folder).predict(raw), atol=TOLERANCE, rtol=TOLERANCE)


@in_a_browser
@pytest.mark.parametrize("cost", [*map(fnn.Quadratic, ACTIVATIONS), fnn.CrossEntropy(), fnn.LogLikelihood()], ids=repr)
def test_the_output_of_every_cost_is_the_last_layer(browser, run, cost):
    browser.open(run / "page.html")
    z = np.array([[-3.5, -0.25, 0.0, 0.5, 1000.0]], np.float32)
    layer = output(cost)
    a = f"{{shape: [5], data: Float32Array.from({z[0].tolist()})}}"
    mine = browser.run(f"[...LAYERS.{layer['type']}({json.dumps(layer)}, {a}).data]")
    np.testing.assert_allclose(mine, np.asarray(cost.output(z))[0], atol=TOLERANCE)


def test_the_nets_of_the_test_have_every_layer():
    there = {type(layer) for net, _, _ in NETS.values() for layer in net}
    assert there == set(LAYERS)


def test_the_page_knows_every_layer_of_fnn():
    layers = {
        cls for cls in TYPES.values() if isinstance(cls, type) and issubclass(cls, object) and hasattr(cls, "backward")
    }
    assert layers == set(LAYERS)


@in_a_browser
def test_the_scaling_of_a_saved_network_is_in_the_page(browser, tmp_path):
    data = fnn.load_data("digits", targets="binary")
    folder = saved(tmp_path / "bits", (fnn.Dense(4),), fnn.CrossEntropy(), FLAT, data=data)
    opened(browser, folder)
    assert browser.run("network.inputs") == {"scale": 1 / 16, "mean": None, "sd": None}
    raw = np.asarray(data.train.x[:2])
    np.testing.assert_allclose(outputs(browser, raw), load(folder).predict(raw), atol=TOLERANCE)
    assert browser.run("[frame.low, frame.high, known.y.length]") == [0, 16, 0]
    assert browser.run("rows.map(r => r.cells[0].textContent)") == ["bit 8", "bit 4", "bit 2", "bit 1"]
    assert browser.run("[decided(network, [0, 1, 1, 0]), decided(network, [1, 0, 0.4, 0.6])]") == [6, 9]


def test_a_saved_network_in_units_of_its_images_is_refused(tmp_path):
    data = fnn.load_data("digits", standardise=True)
    folder = saved(tmp_path, (fnn.Dense(10),), fnn.LogLikelihood(), FLAT, data=data)
    with pytest.raises(fnn.errors.InputError, match="without its images"):
        whole(folder, load(folder), TYPES)


@in_a_browser
def test_a_run_with_its_images_says_what_predict_says(browser, run, capsys):
    browser.open(run / "page.html")
    assert float(browser.run("document.getElementById('check').textContent")) < TOLERANCE
    assert cli.main(["predict", str(run)]) == 0
    lines = capsys.readouterr().out.splitlines()
    first = lines[0].split(",").index("output_0")
    rows = browser.run("known.rows")
    assert len(rows) == 20
    mine = browser.run("known.rows.map((_, i) => [...outputs(network, example(i))])")
    theirs = [[float(cell) for cell in lines[1 + row].split(",")[first : first + 10]] for row in rows]
    np.testing.assert_allclose(mine, theirs, atol=TOLERANCE)
    assert browser.run("known.y") == [str(k) for k in range(10)] * 2


@in_a_browser
def test_a_wrong_weight_is_noticed_by_the_page(browser, run, tmp_path):
    text = (run / "page.html").read_text()
    page = told(text)
    page["layers"][0]["b"], page["layers"][2]["b"] = {"f32": "AAAAAA" + 37 * "A" + "="}, page["layers"][2]["b"]
    wrong = re.sub(r'(id="network">).*?(</script>)', lambda m: m[1] + json.dumps(page) + m[2], text)
    (tmp_path / "wrong.html").write_text(wrong)
    browser.open(tmp_path / "wrong.html")
    assert float(browser.run("document.getElementById('check').textContent")) > TOLERANCE


@in_a_browser
def test_a_piece_is_centred_as_in_the_strip(browser, run):
    browser.open(run / "page.html")
    rng = np.random.default_rng(0)
    for shape in ((20, 20), (20, 13), (9, 20)):
        piece = rng.uniform(0, 1, shape) ** 4
        given = f"{{height: {shape[0]}, width: {shape[1]}, data: Float64Array.from({piece.ravel().tolist()})}}"
        mine = browser.run(f"[...centred({given}, {{height: 28, width: 28, centre: 'mass'}}).data]")
        np.testing.assert_allclose(np.reshape(mine, (28, 28)), strip.centred(piece))


@in_a_browser
def test_size_and_place_of_a_drawing_do_not_matter(browser, run):
    browser.open(run / "page.html")
    frames = (
        "({height: 28, width: 28, box: 20, centre: 'mass'})",
        "({height: 28, width: 28, box: 20, centre: 'middle'})",
        "frame",
    )
    for frame in frames:
        images = []
        for share, place in ((0.8, 0.5), (0.3, 0.25)):
            hand = TRYING["school"]._replace(size=share, place=(place, place), pen=10 * share)
            write(browser, hand, 5)
            images.append(browser.run(f"[...imageOf(strokes, {frame}).data]"))
        np.testing.assert_allclose(*images, atol=0.26)  # a dot of the raster falls on one side or the other
        assert np.mean(images[0]) == pytest.approx(np.mean(images[1]), abs=0.01)


def line(browser, points, pen, frame):
    """The image of one straight stroke."""
    stroke = json.dumps([{"pen": pen, "points": points}])
    image = browser.run(f"(i => ({{...i, data: [...i.data]}}))(imageOf({stroke}, {frame}))")
    return np.reshape(image["data"], (image["height"], image["width"]))


@in_a_browser
def test_a_bar_is_as_long_as_the_box_and_as_thick_as_it_was_drawn(browser, run):
    browser.open(run / "page.html")
    frame = "{height: 28, width: 28, box: 20, centre: 'mass'}"
    for pen, width in ((0.06, 2.0), (0.08, 2.5), (0.001, 1.8), (0.5, 3.6)):  # the last two are beyond what is usual
        image = line(browser, [[0.3, 0.2], [0.3, 0.74]], pen, frame)
        assert np.flatnonzero(image.max(axis=1)).tolist() == list(range(4, 24))
        assert image[14].sum() == pytest.approx(width if pen != 0.08 else 20 * 0.08 / 0.62, abs=0.25)


@in_a_browser
@pytest.mark.parametrize("lean", [-0.3, 0.0, 0.3])
def test_a_bar_stands_upright_in_8x8_pixels_with_the_usual_ink(browser, run, lean):
    browser.open(run / "page.html")
    image = line(browser, [[0.4 + lean, 0.2], [0.4, 0.8]], 0.05, "frame")
    assert image.sum() == pytest.approx(314 / 16, abs=1.5)
    middles = image[1:7] @ np.arange(8) / image[1:7].sum(axis=1)
    assert np.ptp(middles) < 0.5  # of 6 rows, in which the leaning bar went two pixels to the side or more
    assert image[3] @ np.arange(8) / image[3].sum() == pytest.approx(3.5, abs=0.35)


@in_a_browser
@pytest.mark.parametrize("touch", [False, True], ids=["mouse", "finger"])
def test_a_digit_is_drawn_undone_and_cleared(browser, run, touch):
    browser.open(run / "page.html", 375 if touch else 1400)
    hand = TRYING["square"]
    draw(browser, hand, 4, touch)
    drawn = browser.run("strokes.map(s => s.points.length)")
    assert len(drawn) == 2
    assert min(drawn) > 5
    through_the_pointer = browser.run("raw(imageOf(strokes, frame)).reduce((s, v) => s + v)")
    write(browser, hand, 4)
    assert through_the_pointer == pytest.approx(
        browser.run("raw(imageOf(strokes, frame)).reduce((s, v) => s + v)"), rel=0.1
    )
    bars = [float(text) for text in browser.run("rows.map(r => r.querySelector('.value').textContent)")]
    assert sum(bars) == pytest.approx(1, abs=0.01)
    assert browser.run("document.querySelector('.best th').textContent") == answer(browser)
    browser.click("#undo")
    assert browser.run("strokes.length") == 1
    browser.click("#clear")
    assert browser.run("document.getElementById('answer').textContent") == "Nothing is drawn."
    assert browser.run("rows.map(r => r.querySelector('.value').textContent).join('')") == ""


def press(browser, key):
    for kind in ("keyDown", "keyUp"):
        browser.call("Input.dispatchKeyEvent", type=kind, key=key, text=key if kind == "keyDown" else "")


@in_a_browser
def test_keys_clear_undo_and_show_the_next_image(browser, run):
    browser.open(run / "page.html")
    browser.run("document.getElementById('paper').focus()")
    for k in range(1, 3):
        press(browser, "n")
        assert f"Image {k} of 20, row {browser.run('known.rows')[k - 1]}" in browser.run("answer.textContent")
    write(browser, TRYING["school"], 7)
    press(browser, "z")
    assert browser.run("strokes.length") == 0
    press(browser, "n")
    press(browser, "c")
    assert browser.run("shown") == -1
    browser.run("document.getElementById('pen').focus()")
    press(browser, "n")
    assert browser.run("shown") == -1


@in_a_browser
@pytest.mark.parametrize(("width", "scheme"), [(375, "light"), (1400, "dark")])
def test_the_page_is_one_file_that_fits_and_can_be_read(browser, run, width, scheme):
    browser.open(run / "page.html", width, scheme)
    write(browser, TRYING["school"], 3)
    assert [url for url in browser.requests() if not url.startswith("data:")] == [(run / "page.html").as_uri()]
    assert browser.run("violations") == []
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run(CONTRAST) >= 4.5
    heights = browser.run("[...document.querySelectorAll('#draw button')].map(b => b.getBoundingClientRect().height)")
    assert min(heights) >= 44
    assert browser.run("getComputedStyle(document.getElementById('paper')).touchAction") == "none"


@in_a_browser
def test_names_of_classes_that_are_hostile(browser, tmp_path):
    hostile = ("</script><script>alert(1)</script>", "b")
    names = fnn.load_data("digits", classes=("0", "1"))._replace(classes=hostile)
    folder = saved(tmp_path / "names", (fnn.Dense(2),), fnn.LogLikelihood(), FLAT, data=names)
    opened(browser, folder)
    assert browser.run("network.classes") == list(hostile)
    assert browser.run("document.scripts.length") == 2


@in_a_browser
@pytest.mark.long
def test_most_digits_of_the_hands_aside_are_read(browser, tmp_path):
    assert cli.main(["run", "configs/digits.toml", "--out", str(tmp_path)]) == 0
    (found,) = tmp_path.iterdir()
    opened(browser, found)
    right = 0
    for hand in ASIDE.values():
        for digit in range(10):
            write(browser, hand, digit)
            right += answer(browser) == str(digit)
    assert right >= 45


NO_PAGE = {
    "shape": (
        (fnn.Dense(2),),
        fnn.LogLikelihood(),
        (5,),
        r"inputs have shape \(5,\); expected grey images of at least 8",
    ),
    "colours": (
        (fnn.Flatten(), fnn.Dense(2)),
        fnn.LogLikelihood(),
        (3, 8, 8),
        r"shape \(3, 8, 8\); expected grey images",
    ),
    "own": (
        (Doubled(), fnn.Dense(2)),
        fnn.LogLikelihood(),
        FLAT,
        "layer 0 is Doubled, a class of your own.*Dense, Maxout",
    ),
    "activation": ((fnn.Dense(2),), fnn.Quadratic(Doubled()), FLAT, "the cost's activation is Doubled"),
    "many": ((fnn.Dense(101),), fnn.LogLikelihood(), FLAT, "it has 101 outputs; a page shows at most 100"),
}


@pytest.mark.parametrize("name", NO_PAGE)
def test_what_the_page_is_not_for_is_refused(tmp_path, name):
    net, cost, shape, message = NO_PAGE[name]
    folder, types = saved(tmp_path, net, cost, shape), dict(TYPES) | {"Doubled": Doubled}
    with pytest.raises(fnn.errors.InputError, match=message):
        whole(folder, load(folder, types), types)


def test_a_table_and_quantities_are_refused(tmp_path, capsys):
    (tmp_path / "t.csv").write_text("a,b,c\n" + "\n".join(f"{i % 7},{i % 5},{'xy'[i % 2]}" for i in range(40)))
    data = fnn.load_data(str(tmp_path / "t.csv"))
    saved(tmp_path / "table", (fnn.Dense(2),), fnn.LogLikelihood(), data.shape, data=data)
    assert cli.main(["page", str(tmp_path / "table")]) == 2
    assert "table: its inputs are the 2 columns of a table; expected images to draw.\n" in capsys.readouterr().err
    np.savez(tmp_path / "q.npz", x=np.zeros((9, 64)) + np.arange(64), y=np.linspace(0.5, 3, 9))
    data = fnn.load_data(str(tmp_path / "q.npz"))
    saved(tmp_path / "quantities", (fnn.Dense(1),), fnn.Quadratic(fnn.Identity()), FLAT, data=data)
    assert cli.main(["page", str(tmp_path / "quantities")]) == 2
    assert "its outputs are quantities; expected classes" in capsys.readouterr().err


def test_the_page_is_written_where_it_is_told(run, tmp_path, capsys):
    assert cli.main(["page", str(run), "--out", str(tmp_path / "mine.html")]) == 0
    assert capsys.readouterr().out.startswith(f"page: {tmp_path / 'mine.html'} (0.")
    assert (tmp_path / "mine.html").read_bytes() == (run / "page.html").read_bytes()
    assert cli.main(["page", str(run), "--out", str(tmp_path)]) == 2
    assert "is a folder; expected a file" in capsys.readouterr().err
    assert cli.main(["page", str(run), "--out", str(tmp_path / "none" / "x.html")]) == 2
    assert "there is no folder" in capsys.readouterr().err


def test_how_the_images_were_made_is_measured():
    rng = np.random.default_rng(0)
    images = np.zeros((50, 20, 16))
    for image in images:
        top, left = rng.integers(0, 8), rng.integers(0, 8)
        image[top : top + 12, left : left + 8] = 200
        image[top : top + 2, left : left + 2] = 0
    made = handwriting.frame(images)
    assert (made["low"], made["high"], made["box"]) == (0, 200, 12)
    middle = np.zeros((50, 20, 16))
    for image in middle:
        high = rng.integers(2, 9)
        image[10 - high : 10 + high, 6:10] = 1
        image[10 - high : 10 - high + rng.integers(1, 4), 4:12] = 1
    assert handwriting.frame(middle)["centre"] == "middle"
    dark = handwriting.frame(1 - middle)
    assert (dark["low"], dark["high"], dark["box"]) == (1, 0, handwriting.frame(middle)["box"])
    with pytest.raises(fnn.errors.InputError, match="no ink"):
        handwriting.frame(np.zeros((3, 20, 20)))


def test_mnist_is_measured_as_it_was_made():
    try:
        images = np.asarray(fnn.load_data("mnist").train.x[:1000]).reshape(-1, 28, 28)
    except fnn.errors.InputError as error:
        pytest.skip(str(error).splitlines()[0])
    made = handwriting.frame(images)
    assert made == {"height": 28, "width": 28, "low": 0, "high": 255, "whole": True, "box": 20, "centre": "mass"}


def test_the_task_names_the_classes():
    assert title("r", [str(k) for k in range(10)]) == title("r", ["3", "8"]) == "Draw a digit: r"
    assert _wanted(["3", "8"]) == "Draw one of 3, 8"
    assert _wanted([str(k) for k in range(10)]) == "Draw a digit"
    assert title("r", ["cat", "dog"]) == "Draw: r"
