"""What Python programs use to see and to click, one thing a line, with the time that each took in ms.

Times are taken in here, so that neither starting Python nor this conversation counts."""

import json
import sys
import time

# It asks for tkinter only to show where the mouse is, and ends the program without it.
sys.modules["mouseinfo"] = None

import mss
import mss.tools
import PIL
import PIL.ImageGrab
import pyautogui

pyautogui.FAILSAFE = False
screen = mss.mss()


def grab():
    shot = screen.grab(screen.monitors[0])
    return shot, shot.rgb


def do(words):
    match words:
        case ["mss_picture"]:
            grab()
        case ["mss_png"]:
            shot, pixels = grab()
            mss.tools.to_png(pixels, shot.size)
        case ["pillow_picture"]:
            PIL.ImageGrab.grab().load()
        case ["pyautogui_picture"]:
            pyautogui.screenshot().load()
        case ["pyautogui_click", x, y]:
            # Without the pause of 100 ms that it makes after each call.
            pyautogui.click(int(x), int(y), _pause=False)
        case ["pyautogui_click_pause", x, y]:
            pyautogui.click(int(x), int(y))
        case _:
            raise ValueError(words)


print(
    json.dumps(
        {
            "python": sys.version.split()[0],
            "mss": mss.__version__,
            "pyautogui": pyautogui.__version__,
            "pillow": PIL.__version__,
        }
    ),
    flush=True,
)
for line in sys.stdin:
    words = line.split()
    start = time.perf_counter()
    try:
        do(words)
    except Exception as error:
        # PyAutoGUI takes no picture where `scrot` is not installed.
        print(f"cannot: {error}".splitlines()[0], flush=True)
    else:
        print((time.perf_counter() - start) * 1000, flush=True)
