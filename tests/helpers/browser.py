"""Headless Chromium, driven through a pipe by its DevTools protocol: https://chromedevtools.github.io/devtools-protocol/."""

import json
import os
import select
import shutil
import subprocess
import sys
import time

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe")
PATIENCE = 60  # seconds, at most, for an answer: the machine may be busy
START = (  # a Python that gives Chromium the two pipes by the numbers that it expects, and becomes Chromium
    "import fcntl, os, sys\n"
    "apart = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]\n"
    "[os.dup2(each, number) for each, number in zip(apart, (3, 4))]\n"
    "os.execv(sys.argv[3], sys.argv[3:])"
)
WATCH = "window.violations = []; addEventListener('securitypolicyviolation', e => violations.push(e.violatedDirective))"


def installed():
    """The path of Chromium, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """A browser with one tab."""

    def __init__(self, profile):
        (theirs, self.out), (self.into, back) = os.pipe(), os.pipe()  # it reads from 3 and writes to 4
        command = [sys.executable, "-c", START, str(theirs), str(back), installed(), *OPTIONS]
        command.append(f"--user-data-dir={profile}")
        null = subprocess.DEVNULL
        self.process = subprocess.Popen(command, pass_fds=(theirs, back), stdin=null, stdout=null, stderr=null)
        os.close(theirs)
        os.close(back)
        self.number, self.left, self.events, self.session = 0, b"", [], {}
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def _begin(self):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = {"sessionId": self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]}
        for domain in ("Page", "Runtime", "Network"):
            self.call(f"{domain}.enable")
        self.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH)

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.out)
        os.close(self.into)

    def call(self, method, **params):
        """The result of a method; the events before it are kept."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params, **self.session}
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self.number:
            self.events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def _next(self):
        deadline = time.monotonic() + PATIENCE
        while b"\0" not in self.left:
            ready, _, _ = select.select([self.into], [], [], max(0, deadline - time.monotonic()))
            data = os.read(self.into, 2**16) if ready else b""
            if not data:
                raise TimeoutError("Chromium does not answer")
            self.left += data
        message, _, self.left = self.left.partition(b"\0")
        return json.loads(message)

    def open(self, path, width=1400, scheme="light"):
        """Load a page in a window so wide, and wait until it is there."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events.clear()
        self.call("Page.navigate", url=path.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())

    def run(self, script):
        """The value of an expression in the page."""
        got = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in got, got
        return got["result"].get("value")

    def click(self, selector):
        """A click of the mouse in the middle of an element."""
        place = f"(e => (e.scrollIntoView(), e.getBoundingClientRect().toJSON()))(document.querySelector({selector!r}))"
        box = self.run(place)
        at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2, "button": "left", "clickCount": 1}
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, **at)

    def requests(self):
        """The addresses that the page has asked for since it was opened."""
        return [e["params"]["request"]["url"] for e in self.events if e["method"] == "Network.requestWillBeSent"]
