#!/usr/bin/python3
"""A login dialog that writes what it received to the file JOURNAL, a line of JSON for each login.

`login.py JOURNAL [TITLE]`: the title of the window is TITLE.
"""

import json
import sys

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk  # noqa: E402

journal = sys.argv[1]
title = sys.argv[2] if len(sys.argv) > 2 else "Sign in"


def labelled(grid, row, words, entry):
    label = Gtk.Label(label=words, xalign=0)
    label.set_mnemonic_widget(entry)
    entry.get_accessible().set_name(words)
    grid.attach(label, 0, row, 1, 1)
    grid.attach(entry, 1, row, 1, 1)


def log_in(*_):
    with open(journal, "a", encoding="utf-8") as file:
        file.write(json.dumps({"name": name.get_text(), "password": password.get_text()}) + "\n")
    said.set_text("Welcome, " + name.get_text())


window = Gtk.Window(title=title)
window.set_default_size(520, 320)
window.connect("destroy", Gtk.main_quit)
grid = Gtk.Grid(row_spacing=12, column_spacing=12, margin=24)
name, password = Gtk.Entry(), Gtk.Entry(visibility=False)
name.set_width_chars(30)
labelled(grid, 0, "Name", name)
labelled(grid, 1, "Password", password)
button = Gtk.Button(label="Log in")
button.connect("clicked", log_in)
password.connect("activate", log_in)
grid.attach(button, 1, 2, 1, 1)
said = Gtk.Label(label="")
grid.attach(said, 0, 3, 2, 1)
markup = Gtk.Button(label="<img src=x onerror=window.hacked=1>")
grid.attach(markup, 0, 4, 2, 1)
window.add(grid)
window.show_all()
Gtk.main()
