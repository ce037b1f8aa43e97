"""A small settings dialog: says on standard output, as JSON, what was chosen when it is confirmed."""
import json

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk  # noqa: E402


class Settings(Gtk.Dialog):
    def __init__(self):
        super().__init__(title="Settings")
        self.set_default_size(420, 260)
        box = self.get_content_area()
        box.set_spacing(12)
        box.set_border_width(18)
        self.switches = {}
        for name in ("Start with the computer", "Check for updates", "Show hidden files"):
            self.switches[name] = Gtk.CheckButton(label=name)
            box.add(self.switches[name])
        row = Gtk.Box(spacing=12)
        label = Gtk.Label(label="Theme")
        self.theme = Gtk.ComboBoxText()
        for name in ("System", "Light", "Dark"):
            self.theme.append_text(name)
        self.theme.set_active(0)
        label.set_mnemonic_widget(self.theme)
        row.add(label)
        row.add(self.theme)
        box.add(row)
        self.add_button("Cancel", Gtk.ResponseType.CANCEL)
        self.add_button("Apply", Gtk.ResponseType.APPLY)
        self.show_all()


dialog = Settings()
answer = dialog.run()
if answer == Gtk.ResponseType.APPLY:
    chosen = {name: switch.get_active() for name, switch in dialog.switches.items()}
    print(json.dumps({"switches": chosen, "theme": dialog.theme.get_active_text()}), flush=True)
