"""A program that is made of a web page, as many are: Chromium within a window of Qt, with a bar above it. The page says
what is on it, as in a browser, and the window where the page and its own buttons are."""

import json
import os
import sys

from PyQt6 import QtCore as core
from PyQt6 import QtWidgets as widgets
from PyQt6.QtWebEngineWidgets import QWebEngineView

HERE = os.path.dirname(os.path.abspath(__file__))
# What older engines do not know of themselves.
SHIM = """Element.prototype.checkVisibility ??= function (asked = {}) {
  for (let at = this; at; at = at.parentElement) {
    const style = getComputedStyle(at);
    if (style.display === 'none' || asked.opacityProperty && style.opacity === '0') return false;
  }
  return !asked.visibilityProperty || getComputedStyle(this).visibility === 'visible';
};
"""
with open(os.path.join(HERE, "..", "truth.js"), encoding="utf-8") as file:
    TRUTH = SHIM + file.read()
BUTTONS = ["Back", "Reload"]


def corner(widget):
    """Where a widget begins, and how many pixels of the screen one of Qt's is."""
    at, factor = widget.mapToGlobal(core.QPoint(0, 0)), widget.devicePixelRatioF()
    return at.x() * factor, at.y() * factor, factor


def tell(window, view, page, path):
    left, top, factor = corner(view)
    for thing in page["items"] + page["words"]:
        x, y, width, height = (side * page["scale"] for side in thing["box"])
        thing["box"] = [left + x, top + y, width, height]
    for number, button in enumerate(window.findChildren(widgets.QToolButton)):
        if button.text() in BUTTONS and button.isVisible():
            x, y, factor = corner(button)
            box = [x, y, button.width() * factor, button.height() * factor]
            page["items"].append({"id": f"bar {number}", "role": "button", "name": button.text(), "box": box, "sure": True})
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump({"items": page["items"], "words": page["words"], "scale": factor}, file)
    os.replace(path + ".new", path)


app = widgets.QApplication(sys.argv[:1])
window = widgets.QMainWindow()
window.setWindowTitle("Mail")
window.resize(1000, 700)
bar = window.addToolBar("Page")
for name in BUTTONS:
    bar.addAction(name)
view = QWebEngineView()
window.setCentralWidget(view)
view.load(core.QUrl.fromLocalFile(os.path.join(HERE, "..", "pages", "form.html")))
window.show()
timer = core.QTimer()
timer.timeout.connect(lambda: view.page().runJavaScript(TRUTH, lambda page: page and tell(window, view, page, sys.argv[1])))
timer.start(400)
app.exec()
