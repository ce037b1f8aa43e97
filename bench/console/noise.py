#!/usr/bin/python3
"""A window full of noise that is another one ten times a second: the worst that a line can be given."""

import os

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import GdkPixbuf, GLib, Gtk  # noqa: E402

WIDTH, HEIGHT = 600, 400

window = Gtk.Window(title="Noise")
window.connect("destroy", Gtk.main_quit)
box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL)
picture = Gtk.Image()
button = Gtk.Button(label="Press")
box.pack_start(picture, True, True, 0)
box.pack_start(button, False, False, 0)
window.add(box)


def draw():
    pixels = GLib.Bytes.new(os.urandom(WIDTH * HEIGHT * 3))
    picture.set_from_pixbuf(GdkPixbuf.Pixbuf.new_from_bytes(
        pixels, GdkPixbuf.Colorspace.RGB, False, 8, WIDTH, HEIGHT, WIDTH * 3))
    return True


draw()
GLib.timeout_add(100, draw)
window.show_all()
Gtk.main()
