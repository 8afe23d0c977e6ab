"""The pages in headless Chromium: a click sorts, all pictures load, nothing is fetched, they fit, light and dark."""

import itertools

import pytest

from fnn.cli.report import shown
from fnn.pages import gradcheck_page, png, runs_page, sweep_page
from fnn.pages.markup import page
from fnn.runs import reading
from fnn.runs.listing import entry
from tests.helpers.browser import Browser, installed
from tests.helpers.run_folders import config, gradcheck, lines, results, run, sweep

pytestmark = pytest.mark.skipif(not installed(), reason="Chromium is not installed")

NAMES = ("runs", "run", "sweep", "gradcheck")
HOSTILE = "<img src=http://127.0.0.1:9/a.png onerror=alert(1)><script src=//127.0.0.1:9/b.js></script>"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    chromium = Browser(tmp_path_factory.mktemp("profile"))
    yield chromium
    chromium.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A page of each kind, by name; hostile texts are in all of them."""
    folder = tmp_path_factory.mktemp("pages")
    image = png.grey([[(i + j) / 14 for j in range(8)] for i in range(8)])
    entries = [
        run(folder / "runs" / f"run-{HOSTILE.replace('/', '')[:40]}-{i}", table, lines(3, i / 10), result)
        for i, (table, result) in enumerate(
            [
                (config(training__optimizer__eta=0.1), {"results": results(stopped=HOSTILE)}),
                (config(training__optimizer__eta=3.0, training__gradient=HOSTILE), {"results": results()}),
                (config(training__optimizer__eta=10.0, training__batch_size=100), None),
            ]
        )
    ]
    (folder / "runs" / entries[2].name / "result.json").unlink()
    readings = [reading.read(entry(each)) for each in entries]
    several, same = shown(readings), {"data.source": HOSTILE}
    several = [each._replace(images=[image, image]) if each.results else each for each in several]
    several.append(several[-1]._replace(name="blank", scores={}, lines=[], state="diverged: epoch 1, step 2, layer 0"))
    grid = sweep(folder / HOSTILE.replace("/", ""), etas=(0.01, 0.1, 1.0), lmbdas=(0.0, 0.01, 0.1), diverged=(0,))
    from fnn.cli.sweep_page import shown as shown_sweep

    bodies = {
        "runs": runs_page.sections(several, same),
        "run": runs_page.sections(several[:1], same),
        "sweep": sweep_page.sections(shown_sweep(entry(grid))),
        "gradcheck": gradcheck_page.sections(*gradcheck(HOSTILE)),
    }
    for name, body in bodies.items():
        (folder / f"{name}.html").write_bytes(page(f"{name} {HOSTILE}", body))
    return {name: folder / f"{name}.html" for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_all_pictures_load_and_nothing_is_fetched(browser, pages, name):
    browser.open(pages[name])
    fetched = [url for url in browser.requests() if not url.startswith("data:")]
    assert fetched == [pages[name].as_uri()]
    assert browser.run("performance.getEntriesByType('resource').map(e => e.name)") == []
    assert browser.run("violations") == []
    pictures = browser.run("[...document.images].map(i => i.complete && i.naturalWidth > 0)")
    assert all(pictures)
    assert len(pictures) == {"runs": 4, "run": 2, "sweep": 0, "gradcheck": 2}[name]
    assert browser.run("document.querySelectorAll('script').length") == 1
    drawn = "[...document.querySelectorAll('figure svg')].every(s => s.getBoundingClientRect().height > 50)"
    assert browser.run(drawn)


@pytest.mark.parametrize(("name", "width", "scheme"), [*itertools.product(NAMES, (375, 1400), ("light", "dark"))])
def test_a_page_fits_and_can_be_read(browser, pages, name, width, scheme):
    browser.open(pages[name], width, scheme)
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run("matchMedia('(prefers-color-scheme: dark)').matches") == (scheme == "dark")
    assert browser.run(CONTRAST) >= 4.5
    assert browser.run(CURVES) >= 2


CONTRAST = """(() => {  // the least contrast of a text to what is behind it, by WCAG
  const light = c => c.slice(0, 3).map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const parsed = text => (text.match(/[\\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
  const behind = e => { const above = e.parentElement ? behind(e.parentElement) : [255, 255, 255];
    const [r, g, b, a = 1] = parsed(getComputedStyle(e).backgroundColor);
    return [r, g, b].map((v, i) => a * v + (1 - a) * above[i]); };
  const texts = [...document.querySelectorAll('h1,h2,h3,p,a,td,th,figcaption,li,summary')];
  return Math.min(...texts.map(e => { const [a, b] = [light(parsed(getComputedStyle(e).color)), light(behind(e))];
    return (Math.max(a, b) + .05) / (Math.min(a, b) + .05); }));
})()"""
CURVES = """(() => {  // the least contrast of a curve to the page
  const light = c => c.slice(0, 3).map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const parsed = text => text.match(/[\\d.]+/g).map(Number);
  const paper = light(parsed(getComputedStyle(document.body).backgroundColor));
  return Math.min(21, ...[...document.querySelectorAll('path.c')].map(e => light(parsed(getComputedStyle(e).stroke)))
    .map(l => (Math.max(l, paper) + .05) / (Math.min(l, paper) + .05)));
})()"""


def test_a_long_name_of_a_class_leaves_the_confusion_matrix_small(browser, tmp_path):
    head = f"<th>{'x' * 300}</th>"
    table = (
        f'<table class="confusion"><thead><tr>{head * 2}</tr></thead><tbody><tr>{head}<td>3</td></tr></tbody></table>'
    )
    (tmp_path / "long.html").write_bytes(page("long", [table]))
    browser.open(tmp_path / "long.html")
    assert browser.run("document.querySelector('table').getBoundingClientRect().width") < 400


def column(browser, name):
    """The cells of a column of the first table, from the top."""
    return browser.run(
        "(t => (i => [...t.tBodies[0].rows].map(r => r.cells[i].textContent))"
        f"([...t.tHead.rows[0].cells].findIndex(c => c.textContent === {name!r})))(document.querySelector('table'))"
    )


def test_a_click_sorts_and_a_second_one_the_other_way_round(browser, pages):
    browser.open(pages["runs"])
    accuracies = column(browser, "validation accuracy")
    assert accuracies == sorted(accuracies[:3], reverse=True) + [""]
    place = browser.run("[...document.querySelectorAll('thead th')].findIndex(c => c.textContent == 'eta') + 1")
    head = f"table th:nth-child({place})"
    browser.click(head)
    assert column(browser, "eta") == ["0.1", "3.0", "10.0", "10.0"]
    assert browser.run(f"document.querySelector({head!r}).getAttribute('aria-sort')") == "ascending"
    browser.click(f"{head} button")
    assert column(browser, "eta") == ["10.0", "10.0", "3.0", "0.1"]
    assert browser.run("document.querySelectorAll('[aria-sort]').length") == 1
    browser.click("table th:nth-child(1)")
    names = column(browser, "run")
    assert names == sorted(names)


def test_empty_cells_stay_last_either_way(browser, pages):
    browser.open(pages["runs"])
    place = browser.run("[...document.querySelectorAll('thead th')].findIndex(c => c.textContent == 'test cost') + 1")
    for ordered in (sorted, lambda cells: sorted(cells, reverse=True)):
        browser.click(f"table th:nth-child({place})")
        cells = column(browser, "test cost")
        assert cells[-1] == ""
        assert cells[:-1] == ordered(cells[:-1])


def test_a_key_sorts_too(browser, pages):
    browser.open(pages["sweep"])
    browser.run("[...document.querySelectorAll('thead button')].find(b => b.textContent == 'eta').focus()")
    for kind in ("keyDown", "keyUp"):
        browser.call(
            "Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", text="\r", windowsVirtualKeyCode=13
        )
    etas = [float(cell) for cell in column(browser, "eta")]
    assert etas == sorted(etas)
    assert browser.run("document.querySelector('[aria-sort]').textContent") == "eta"


def test_without_script_all_is_there(browser, pages):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(pages["runs"])
        assert browser.run("document.querySelectorAll('thead button').length") == 0
        assert len(column(browser, "run")) == 4
        assert browser.run("document.querySelectorAll('figure svg').length") >= 4
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)


def test_what_is_wrong_is_noticed(browser, pages, tmp_path):
    text = pages["runs"].read_text()
    broken = text.replace("<h1>", '<p style="width:2000px">x</p><img src="http://127.0.0.1:9/x.png"><h1>', 1)
    (tmp_path / "broken.html").write_text(broken)
    browser.open(tmp_path / "broken.html", 375)
    assert set(browser.run("violations")) == {"style-src-attr", "img-src"}
    assert not all(browser.run("[...document.images].map(i => i.complete && i.naturalWidth > 0)"))
