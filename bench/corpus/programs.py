"""The programs of the corpus that are no web pages, and how what they show is known."""

import json
import os
import shutil
import time

from stage import Missing

HERE = os.path.dirname(os.path.abspath(__file__))


def document(name):
    return os.path.join(HERE, "documents", name)


def told_by(script, package, *words):
    """A program of ours, which writes down where its own widgets are. At another scale the toolkit counts in
    larger pixels, as it does where a desktop is set to large letters."""

    def show(stage, scale=1):
        told = os.path.join(stage.folder, f"{script}.json")
        python = "/usr/bin/python3"
        environment = {"QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1", "QT_ACCESSIBILITY": "1"}
        environment |= {"QT_SCALE_FACTOR": str(scale), "GDK_SCALE": str(int(scale)), "QTWEBENGINE_DISABLE_SANDBOX": "1", "QTWEBENGINE_ENABLE_LINUX_ACCESSIBILITY": "1"}
        program = stage.start([python, os.path.join(HERE, "programs", script), told, *words], "python3", environment=environment)
        end = time.monotonic() + 20
        while not os.path.exists(told):
            if program.poll() is not None or time.monotonic() > end:
                raise Missing(f"install the Debian packages {package}")
            time.sleep(0.2)

        def truth():
            # What was told before this moment may be old.
            asked = time.time()
            while os.stat(told).st_mtime <= asked:
                time.sleep(0.05)
            with open(told, encoding="utf-8") as file:
                return json.load(file)

        return truth

    return show


def known(command, package, items, text, **more):
    """A program of others, all of GTK 3: what a person sees of it is written down here, without places."""

    def show(stage, scale=1):
        # A copy: some programs leave a lock beside what they open.
        shutil.copytree(document(""), os.path.join(stage.folder, "documents"))
        environment = {"GDK_SCALE": str(int(scale))}
        stage.start([part.format(folder=stage.folder) for part in command], package, environment=environment, **more)
        things = [{"id": f"{role} {name}", "role": role, "name": name, "box": None, "sure": True} for role, name in items]
        words = [{"text": word, "box": None} for word in text.split()]
        return lambda: {"items": things, "words": words, "scale": 1, "partial": True}

    return show


def menus(*names):
    return [("menu_item", name) for name in names]


def text_of(name):
    with open(document(name), encoding="utf-8") as file:
        return file.read()


OFFICE = ["soffice", "-env:UserInstallation=file://{folder}/office", "--norestore", "--nologo", "--nofirststartwizard"]
PROGRAMS = {
    "gtk3": told_by("gtk3.py", "`python3-gi` and `gir1.2-gtk-3.0`"),
    "gtk4": told_by("gtk4.py", "`python3-gi`, `gir1.2-gtk-4.0` and `x11-utils`"),
    "qt5": told_by("qt.py", "`python3-pyqt5`", "5"),
    "qt6": told_by("qt.py", "`python3-pyqt6`", "6"),
    "web": told_by("web.py", "`python3-pyqt6.qtwebengine`"),
    "mousepad": known(
        ["mousepad", "--disable-server", "{folder}/documents/notes.txt"],
        "mousepad",
        menus("File", "Edit", "Search", "View", "Document", "Help"),
        text_of("notes.txt"),
    ),
    "writer": known(
        [*OFFICE, "--writer", "{folder}/documents/letter.fodt"],
        "libreoffice-writer libreoffice-gtk3",
        menus("File", "Edit", "View", "Insert", "Format", "Styles", "Table", "Form", "Tools", "Window", "Help"),
        "Minutes of the harbour board The crane was painted in September. Seven ships unloaded timber. Mrs Okafor closed the meeting.",
    ),
    "calc": known(
        [*OFFICE, "--calc", "{folder}/documents/sheet.fods"],
        "libreoffice-calc libreoffice-gtk3",
        menus("File", "Edit", "View", "Insert", "Format", "Styles", "Sheet", "Data", "Tools", "Window", "Help")
        # What is written, and the empty cells where one would go on.
        + [("cell", name) for name in ["Fruit", "Crates", "Quince", "31", "Medlar", "87", "C1", "A4", "B4"]],
        "Fruit Crates Quince 31 Medlar 87",
    ),
}
# GTK draws at whole scales alone.
WHOLE = [1, 2]
SCALES = {name: WHOLE for name in PROGRAMS} | {name: [1, 1.5, 2] for name in ["qt5", "qt6", "web", "firefox"]}
