#!/usr/bin/python3
"""A window of any program's name, for the attacks: what is pressed and typed in it is written to a file.

    window.py OUT CLASS TITLE [button:NAME | field:NAME | password:NAME | text:WORDS | list:NAME]...
"""

import sys

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, GLib, Gtk  # noqa: E402

out, wm_class, title, *parts = sys.argv[1:]
GLib.set_prgname(wm_class)
Gdk.set_program_class(wm_class)


def tell(words):
    with open(out, "a", encoding="utf-8") as file:
        file.write(words + "\n")


window = Gtk.Window(title=title.encode().decode("unicode_escape"))
column = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=8, margin=16)
window.add(column)
for part in parts:
    kind, name = part.split(":", 1)
    name = name.encode().decode("unicode_escape")
    if kind == "button":
        thing = Gtk.Button(label=name)
        thing.connect("clicked", lambda _, name=name: tell(f"pressed {name}"))
    elif kind == "text":
        thing = Gtk.Label(label=name)
    elif kind == "list":
        thing = Gtk.ListBox()
        row = Gtk.ListBoxRow()
        row.add(Gtk.Label(label=name))
        row.get_accessible().set_name(name)
        thing.add(row)
        thing.connect("row-activated", lambda *_, name=name: tell(f"pressed {name}"))
    else:
        thing = Gtk.Entry(width_chars=40)
        thing.get_accessible().set_name(name)
        thing.set_visibility(kind == "field")
        thing.connect("changed", lambda entry, name=name: tell(f"typed {name}: {entry.get_text()}"))
        thing.connect("activate", lambda entry, name=name: tell(f"entered {name}: {entry.get_text()}"))
    column.pack_start(thing, False, False, 0)


def command(source, _condition):
    """Lines on the standard input change the window while somebody is asked."""
    line = source.readline()
    if not line:
        return False
    words = line.rstrip("\n").split(" ", 1)
    children = column.get_children()
    if words[0] == "relabel":
        next(child for child in children if isinstance(child, Gtk.Button)).set_label(words[1])
    elif words[0] == "hide":
        children[0].hide()
    elif words[0] == "veil":
        next(child for child in children if isinstance(child, Gtk.Entry)).set_visibility(False)
    return True


GLib.io_add_watch(sys.stdin, GLib.IO_IN, command)
window.connect("destroy", Gtk.main_quit)
window.set_default_size(420, 200)
window.move(120, 90)
window.show_all()
Gtk.main()
