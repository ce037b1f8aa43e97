"""A Qt 5 or 6 program that keeps writing down where its own widgets are and what they are called."""

import importlib
import json
import os
import sys

# The first word says where to write, the second which Qt.
core = importlib.import_module(f"PyQt{sys.argv[2]}.QtCore")
widgets = importlib.import_module(f"PyQt{sys.argv[2]}.QtWidgets")

TOLD = {}


def told(widget, role, name):
    """Remembers what a person would call a widget."""
    TOLD[widget] = (role, name)
    return widget


def build():
    window = widgets.QMainWindow()
    window.setWindowTitle("Observatory")
    window.resize(640, 520)
    for name in ["File", "View", "Help"]:
        window.menuBar().addMenu(name).addAction(f"{name} more")
    tabs = widgets.QTabWidget()
    window.setCentralWidget(tabs)
    page = widgets.QWidget()
    form = widgets.QFormLayout(page)
    combo = widgets.QComboBox()
    combo.addItems(["Mars", "Venus"])
    secret = widgets.QLineEdit()
    secret.setEchoMode(widgets.QLineEdit.EchoMode.Password)
    slider = widgets.QSlider(core.Qt.Orientation.Horizontal)
    rows = [
        ("&Star", widgets.QLineEdit("Vega"), "textbox"),
        ("&Code", secret, "password"),
        ("&Minutes", widgets.QSpinBox(), "spinner"),
        ("&Planet", combo, "dropdown"),
        ("&Zoom", slider, "slider"),
        ("&Remarks", widgets.QPlainTextEdit("clear sky"), "textbox"),
    ]
    for label, widget, role in rows:
        form.addRow(label, told(widget, role, label.replace("&", "")))
    hinted = widgets.QLineEdit()
    hinted.setPlaceholderText("Find a comet")
    form.addRow(told(hinted, "textbox", "Find a comet"))
    form.addRow(told(widgets.QCheckBox("Track"), "checkbox", "Track"))
    form.addRow(told(widgets.QRadioButton("North"), "radio", "North"), told(widgets.QRadioButton("South"), "radio", "South"))
    icon = told(widgets.QToolButton(), "button", "Park the telescope")
    icon.setToolTip("Park the telescope")
    off = told(widgets.QPushButton("Fire"), "button", "Fire")
    off.setEnabled(False)
    form.addRow(icon, off)
    form.addRow(told(widgets.QPushButton("Observe"), "button", "Observe"))
    tabs.addTab(page, "Session")
    names = widgets.QWidget()
    widgets.QVBoxLayout(names).addWidget(widgets.QListWidget())
    tabs.addTab(names, "Names")
    return window, tabs


def box_of(widget, room):
    at = widget.mapToGlobal(room.topLeft() if room else core.QPoint(0, 0))
    factor = widget.devicePixelRatioF()
    return [side * factor for side in [at.x(), at.y(), room.width(), room.height()]]


def truth(window, tabs):
    items, words = [], []

    def add(number, role, name, box):
        items.append({"id": number, "role": role, "name": name, "box": box, "sure": True})

    for widget in widgets.QApplication.allWidgets():
        room = widget.visibleRegion().boundingRect()
        if not widget.isVisible() or room.isEmpty():
            continue
        if widget in TOLD:
            add(id(widget), *TOLD[widget], box_of(widget, room))
        if isinstance(widget, widgets.QLabel):
            text = widget.text().replace("&", "")
            words.extend({"text": word, "box": box_of(widget, room)} for word in text.split())
    bar = window.menuBar()
    for number, action in enumerate(bar.actions()):
        add(1000 + number, "menu_item", action.text(), box_of(bar, bar.actionGeometry(action)))
    for at in range(tabs.count()):
        add(2000 + at, "tab", tabs.tabText(at), box_of(tabs.tabBar(), tabs.tabBar().tabRect(at)))
    return {"items": items, "words": words, "scale": window.devicePixelRatioF()}


def tell(window, tabs, path):
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(truth(window, tabs), file)
    os.replace(path + ".new", path)


app = widgets.QApplication(sys.argv[:1])
window, tabs = build()
window.show()
timer = core.QTimer()
timer.timeout.connect(lambda: tell(window, tabs, sys.argv[1]))
timer.start(300)
app.exec()
