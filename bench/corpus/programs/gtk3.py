"""A GTK 3 program that keeps writing down where its own widgets are and what they are called."""

import json
import os
import sys

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import GLib, Gtk

TOLD = {}


def told(widget, role, name):
    """Remembers what a person would call a widget."""
    TOLD[widget] = (role, name)
    return widget


def build():
    window = Gtk.Window(title="Workshop")
    window.set_default_size(760, 560)
    column = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=4)
    window.add(column)

    bar = Gtk.MenuBar()
    for name in ["File", "Edit", "Help"]:
        item = told(Gtk.MenuItem(label=name), "menu_item", name)
        item.set_submenu(Gtk.Menu())
        item.get_submenu().append(Gtk.MenuItem(label=f"{name} more"))
        bar.append(item)
    column.add(bar)

    tools = Gtk.Box(spacing=4)
    for icon, tip in [("document-new", "New document"), ("edit-delete", "Delete")]:
        button = told(Gtk.Button.new_from_icon_name(icon, Gtk.IconSize.BUTTON), "button", tip)
        button.set_tooltip_text(tip)
        tools.add(button)
    tools.add(told(Gtk.ToggleButton(label="Bold"), "toggle", "Bold"))
    off = told(Gtk.Button(label="Publish"), "button", "Publish")
    off.set_sensitive(False)
    tools.add(off)
    gone = Gtk.Button(label="Never seen")
    gone.set_no_show_all(True)
    tools.add(gone)
    column.add(tools)

    book = Gtk.Notebook()
    for name, page in [("Person", person()), ("Parts", parts()), ("Log", Gtk.Label(label="empty"))]:
        label = told(Gtk.Label(label=name), "tab", name)
        book.append_page(page, label)
    column.pack_start(book, True, True, 0)

    row = Gtk.Box(spacing=4)
    for name in ["Cancel", "OK"]:
        row.pack_end(told(Gtk.Button(label=name), "button", name), False, False, 0)
    row.pack_start(told(Gtk.LinkButton(uri="http://localhost/", label="Manual"), "link", "Manual"), False, False, 0)
    column.add(row)
    return window


def person():
    grid = Gtk.Grid(column_spacing=8, row_spacing=4)
    combo = Gtk.ComboBoxText()
    for text in ["red", "green", "blue"]:
        combo.append_text(text)
    combo.set_active(1)
    secret = Gtk.Entry(visibility=False)
    text = Gtk.TextView()
    text.get_buffer().set_text("Two lines\nof notes")
    scale = Gtk.Scale.new_with_range(Gtk.Orientation.HORIZONTAL, 0, 10, 1)
    scale.set_size_request(180, -1)
    rows = [
        ("_Name", Gtk.Entry(text="Ada"), "textbox"),
        ("_Secret", secret, "password"),
        ("_Age", Gtk.SpinButton.new_with_range(0, 99, 1), "spinner"),
        ("_Colour", combo, "dropdown"),
        ("_Volume", scale, "slider"),
        ("N_otes", text, "textbox"),
        ("_Wake", Gtk.Switch(halign=Gtk.Align.START), "toggle"),
    ]
    for at, (label, widget, role) in enumerate(rows):
        tag = Gtk.Label.new_with_mnemonic(label)
        tag.set_mnemonic_widget(widget)
        grid.attach(tag, 0, at, 1, 1)
        grid.attach(told(widget, role, label.replace("_", "")), 1, at, 1, 1)
    hinted = told(Gtk.Entry(placeholder_text="Search the shelf"), "textbox", "Search the shelf")
    grid.attach(hinted, 0, 7, 2, 1)
    first = told(Gtk.RadioButton(label="By post"), "radio", "By post")
    second = told(Gtk.RadioButton.new_with_label_from_widget(first, "By hand"), "radio", "By hand")
    grid.attach(first, 0, 8, 1, 1)
    grid.attach(second, 1, 8, 1, 1)
    grid.attach(told(Gtk.CheckButton(label="Remember me"), "checkbox", "Remember me"), 0, 9, 2, 1)

    scroller = Gtk.ScrolledWindow(hscrollbar_policy=Gtk.PolicyType.NEVER)
    scroller.set_size_request(200, 200)
    inner = Gtk.Box(orientation=Gtk.Orientation.VERTICAL)
    for at in range(20):
        inner.add(told(Gtk.Button(label=f"Drawer {at + 1}"), "button", f"Drawer {at + 1}"))
    scroller.add(inner)
    grid.attach(scroller, 2, 0, 1, 8)
    return grid


def parts():
    store = Gtk.ListStore(str, int)
    for at, name in enumerate(["axle", "belt", "cog"]):
        store.append([name, at])
    view = Gtk.TreeView(model=store)
    for at, title in enumerate(["Part", "Count"]):
        view.append_column(Gtk.TreeViewColumn(title, Gtk.CellRendererText(), text=at))
    return view


def clipped(widget, box):
    """What the scrolling parents leave of a box; all in px of the top window."""
    parent = widget.get_parent()
    while parent is not None and box:
        if isinstance(parent, Gtk.ScrolledWindow):
            x, y = parent.translate_coordinates(parent.get_toplevel(), 0, 0)
            room = parent.get_allocation()
            left, top = max(box[0], x), max(box[1], y)
            right, bottom = min(box[0] + box[2], x + room.width), min(box[1] + box[3], y + room.height)
            box = [left, top, right - left, bottom - top] if right > left and bottom > top else None
        parent = parent.get_parent()
    return box


def truth():
    items, words = [], []
    for top in Gtk.Window.list_toplevels():
        if not top.get_mapped() or top.get_window() is None:
            continue
        _, left, above = top.get_window().get_origin()
        factor = top.get_scale_factor()

        def visit(widget):
            # A tab's label is no child that `forall` of the page shows; what is not mapped is not seen.
            if not widget.get_mapped():
                return
            room = widget.get_allocation()
            at = widget.translate_coordinates(top, 0, 0)
            box = clipped(widget, [at[0], at[1], room.width, room.height]) if at else None
            if box:
                box = [(left + box[0]) * factor, (above + box[1]) * factor, box[2] * factor, box[3] * factor]
                if widget in TOLD:
                    role, name = TOLD[widget]
                    items.append({"id": id(widget), "role": role, "name": name, "box": box, "sure": min(box[2:]) >= 6})
                if isinstance(widget, Gtk.Label) and min(box[2:]) >= 8:
                    words.extend({"text": word, "box": box} for word in widget.get_text().split())
            if isinstance(widget, Gtk.Container):
                widget.forall(visit)

        visit(top)
    return {"items": items, "words": words, "scale": int(os.environ.get("GDK_SCALE", 1))}


def tell(path):
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(truth(), file)
    os.replace(path + ".new", path)
    return True


if __name__ == "__main__":
    window = build()
    window.show_all()
    GLib.timeout_add(300, tell, sys.argv[1])
    Gtk.main()
