#!/usr/bin/python3
"""A window that changes its colour when told to, and writes down when its button was pressed.

`flash.py ORDERS JOURNAL`: each line in the pipe ORDERS is a colour; a press is a time in ms in JOURNAL.
"""

import sys
import threading
import time

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, GLib, Gtk  # noqa: E402

orders, journal = sys.argv[1], sys.argv[2]


def note(*_):
    with open(journal, "a", encoding="utf-8") as file:
        file.write(f"{time.time() * 1000:.1f}\n")
    # So that the press is seen to have changed something.
    show("gold" if colour.blue > 0 else "navy")
    # The caret blinks from here on.
    entry.grab_focus()


window = Gtk.Window(title="Flash")
window.set_default_size(600, 400)
window.connect("destroy", Gtk.main_quit)
box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL)
area = Gtk.EventBox(vexpand=True)
colour = Gdk.RGBA()


def show(name):
    colour.parse(name)
    area.override_background_color(Gtk.StateFlags.NORMAL, colour)


def obey():
    while True:
        with open(orders, encoding="utf-8") as lines:
            for line in lines:
                GLib.idle_add(show, line.strip(), priority=GLib.PRIORITY_HIGH)


show("blue")
button = Gtk.Button(label="Press")
button.connect("clicked", note)
entry = Gtk.Entry()
entry.get_accessible().set_name("Caret")
box.pack_start(area, True, True, 0)
box.pack_start(button, False, False, 0)
box.pack_start(entry, False, False, 0)
window.add(box)
window.show_all()
threading.Thread(target=obey, daemon=True).start()
Gtk.main()
