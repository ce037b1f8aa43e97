"""A window with many pages and a button that leads to the next one: what a long run is made of.

    pages.py PAGES LAST_WORD
"""

import random
import sys

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk  # noqa: E402

WORDS = "apple boat candle door engine forest garden house island jacket kettle lamp meadow needle orange paper".split()


class Pages(Gtk.Window):
    def __init__(self, count, end):
        super().__init__(title="Pages")
        self.count, self.end, self.at = count, end, 0
        self.set_default_size(700, 500)
        self.heading, self.words, self.button = Gtk.Label(), Gtk.Label(), Gtk.Button(label="Next page")
        self.button.connect("clicked", lambda _: self.next())
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=12, margin=24)
        for part in (self.heading, self.words, self.button):
            box.add(part)
        self.add(box)
        self.connect("destroy", Gtk.main_quit)
        self.next()

    def next(self):
        self.at += 1
        print(self.at, flush=True)
        chance = random.Random(self.at)
        self.heading.set_text(f"Page {self.at} of {self.count}")
        self.words.set_text("\n".join(" ".join(chance.choices(WORDS, k=6)) for _ in range(8)))
        if self.at == self.count:
            self.button.hide()
            self.words.set_text(self.end)


Pages(int(sys.argv[1]), sys.argv[2]).show_all()
Gtk.main()
