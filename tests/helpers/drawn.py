"""Digits drawn in the browser, by the mouse or by a finger, on a page that `fnn page` wrote."""

from tests.helpers.hands import written


def draw(browser, hand, digit, touch=False):
    """Clear the page, and draw a digit on it through events of the browser's own pointer."""
    browser.run(f"document.getElementById('clear').click(); document.getElementById('pen').value = {hand.pen}")
    box = browser.run("document.getElementById('paper').getBoundingClientRect().toJSON()")
    for stroke in written(hand, digit):
        places = [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in stroke.tolist()]
        (_touched if touch else _moved)(browser, places)


def _moved(browser, places):
    button = {"button": "left", "pointerType": "mouse", "clickCount": 1}
    browser.call("Input.dispatchMouseEvent", type="mousePressed", buttons=1, **button, **places[0])
    for place in places[1:]:
        browser.call("Input.dispatchMouseEvent", type="mouseMoved", buttons=1, **button, **place)
    browser.call("Input.dispatchMouseEvent", type="mouseReleased", buttons=0, **button, **places[-1])


def _touched(browser, places):
    browser.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=places[:1])
    for place in places[1:]:
        browser.call("Input.dispatchTouchEvent", type="touchMove", touchPoints=[place])
    browser.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])


def answer(browser):
    """The class that the page says."""
    return browser.run("document.getElementById('answer').textContent.match(/says (\\S+)/)?.[1]")
