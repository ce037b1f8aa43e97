"""A GTK 4 program that keeps writing down where its own widgets are and what they are called."""

import json
import os
import subprocess
import sys

import gi

gi.require_version("Gtk", "4.0")
gi.require_version("GdkX11", "4.0")
from gi.repository import GdkX11, GLib, Gtk

TOLD = {}


def told(widget, role, name):
    """Remembers what a person would call a widget."""
    TOLD[widget] = (role, name)
    return widget


def build(app):
    window = Gtk.ApplicationWindow(application=app, title="Greenhouse")
    window.set_default_size(640, 420)
    grid = Gtk.Grid(column_spacing=8, row_spacing=6, margin_start=10, margin_top=10)
    window.set_child(grid)
    tip = told(Gtk.Button(icon_name="edit-delete"), "button", "Delete the bed")
    tip.set_tooltip_text("Delete the bed")
    drop = Gtk.DropDown.new_from_strings(["north", "south"])
    scale = Gtk.Scale.new_with_range(Gtk.Orientation.HORIZONTAL, 0, 10, 1)
    scale.set_size_request(160, -1)
    rows = [
        ("_Plant", Gtk.Entry(text="fern"), "textbox"),
        ("_Key", Gtk.PasswordEntry(), "password"),
        ("_Rows", Gtk.SpinButton.new_with_range(0, 99, 1), "spinner"),
        ("_Side", drop, "dropdown"),
        ("_Water", scale, "slider"),
        ("_Lamp", Gtk.Switch(halign=Gtk.Align.START), "toggle"),
    ]
    for at, (label, widget, role) in enumerate(rows):
        tag = Gtk.Label.new_with_mnemonic(label)
        tag.set_mnemonic_widget(widget)
        grid.attach(tag, 0, at, 1, 1)
        grid.attach(told(widget, role, label.replace("_", "")), 1, at, 1, 1)
    grid.attach(told(Gtk.CheckButton(label="Open the roof"), "checkbox", "Open the roof"), 0, 6, 2, 1)
    grid.attach(told(Gtk.ToggleButton(label="Night"), "toggle", "Night"), 0, 7, 1, 1)
    grid.attach(tip, 1, 7, 1, 1)
    off = told(Gtk.Button(label="Harvest"), "button", "Harvest")
    off.set_sensitive(False)
    grid.attach(off, 0, 8, 1, 1)
    grid.attach(told(Gtk.Button(label="Sow"), "button", "Sow"), 1, 8, 1, 1)
    stack = Gtk.Notebook()
    for name in ["Spring", "Summer"]:
        stack.append_page(Gtk.Label(label=f"{name} beds"), told(Gtk.Label(label=name), "tab", name))
    grid.attach(stack, 2, 0, 1, 5)
    window.present()
    GLib.timeout_add(300, tell, window, sys.argv[1])


def children(widget):
    child = widget.get_first_child()
    while child:
        yield child
        child = child.get_next_sibling()


def origin(window):
    number = GdkX11.X11Surface.get_xid(window.get_surface())
    said = subprocess.run(["xwininfo", "-id", str(number)], capture_output=True, text=True).stdout
    sides = [line.split()[-1] for line in said.splitlines() if "Absolute" in line]
    return int(sides[0]), int(sides[1])


def truth(window):
    left, above = origin(window)
    inside = window.get_surface_transform()
    factor = window.get_scale_factor()
    items, words = [], []

    def visit(widget):
        if not widget.get_mapped() or not widget.get_child_visible():
            return
        there, room = widget.compute_bounds(window)
        if there:
            box = [
                left + (inside[0] + room.origin.x) * factor,
                above + (inside[1] + room.origin.y) * factor,
                room.size.width * factor,
                room.size.height * factor,
            ]
            if widget in TOLD:
                role, name = TOLD[widget]
                items.append({"id": id(widget), "role": role, "name": name, "box": box, "sure": True})
            if isinstance(widget, Gtk.Label) and min(box[2:]) >= 8:
                words.extend({"text": word, "box": box} for word in widget.get_text().split())
        for child in children(widget):
            visit(child)

    visit(window)
    return {"items": items, "words": words, "scale": factor}


def tell(window, path):
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(truth(window), file)
    os.replace(path + ".new", path)
    return True


app = Gtk.Application()
app.connect("activate", build)
app.run([])
