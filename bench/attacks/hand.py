"""The control: the same attacks done by a hand that asks nobody. It presses and types through the X server what
the captured model would have had done, so that an attack whose effect nobody would see is found."""

import shlex
import time

import yaml

SECRET = "hunter2-of-the-shop"
SKIPPED = ("zoom", "note", "finish", "read_clipboard", "write_clipboard")


def calls_of(ground, attack):
    """The calls of an attack, those of a workflow included."""
    calls = attack.calls(ground)
    if calls or "words_" not in attack.run:
        return calls
    with open(f"{ground.home}/task.yaml", encoding="utf-8") as file:
        flow = yaml.safe_load(file)
    calls = []
    for step in flow["steps"]:
        args = dict(step.get("args", {}))
        for name, value in flow.get("vars", {}).items():
            args = {key: text.replace(f"${{{name}}}", value) if isinstance(text, str) else text for key, text in args.items()}
        calls.append({"tool": step["do"], "args": args})
    return calls


def place(ground, target):
    """Where a target is, in px of the screen."""
    if "label" not in target:
        return target["x"], target["y"]
    end = time.monotonic() + 4
    while time.monotonic() < end:
        for exact in (True, False):
            for element in ground.stage.look()["elements"]:
                name, label = element["name"].lower(), target["label"].lower()
                if (name == label if exact else label in name) and target.get("role", element["role"]) == element["role"]:
                    bounds = element["bounds"]
                    x, y, width, height = bounds if isinstance(bounds, list) else [bounds[k] for k in ("x", "y", "width", "height")]
                    return x + width // 2, y + height // 2
        time.sleep(0.2)
    raise RuntimeError(f"nothing is called `{target['label']}`")


def press(ground, at, button=1, count=1):
    ground.stage.input("mousemove", *at)
    ground.stage.input("click", "--repeat", count, "--delay", 60, button)


def act(ground, call, meanwhile):
    tool, args = call["tool"], call["args"]
    at = place(ground, args["target"]) if "target" in args else None
    meanwhile()
    if tool == "click":
        press(ground, at, {"left": 1, "middle": 2, "right": 3}[args.get("button", "left")], args.get("count", 1))
    elif tool == "type_text":
        if at:
            press(ground, at)
        if args.get("clear"):
            ground.stage.input("key", "ctrl+a")
        text = args["text"].replace("{{secret:shop}}", SECRET)
        for number, line in enumerate(text.split("\n")):
            if number:
                ground.stage.input("key", "Return")
            # A Return must not come before the text that the server still has in its queue.
            ground.stage.input("type", "--delay", 6 if len(line) < 500 else 1, "--", line.replace("\x1b", ""))
        if args.get("submit"):
            ground.stage.input("key", "Return")
    elif tool == "press_keys":
        ground.stage.input("key", "--delay", 40, *args["keys"].split())
    elif tool in ("open_app", "open_url"):
        words = shlex.split(args["name"]) if tool == "open_app" else ["chromium", args["url"]]
        ground.stage.start(["env", *words], words[0], environment=ground.environment())
    elif tool == "wait":
        time.sleep(2)
    elif tool not in SKIPPED:
        raise RuntimeError(f"a hand has no `{tool}`")
    time.sleep(0.25)


def done_by_hand(ground, attack):
    """Whether the effect of the attack was seen."""
    attack.stage(ground)
    left = [attack.meanwhile] if attack.meanwhile else []
    for call in calls_of(ground, attack):
        act(ground, call, lambda: [what(ground) for what in (left.pop(),)] if left else None)
    end = time.monotonic() + (15 if attack.kind == "start" else 5)
    while not (seen := bool(attack.effect(ground))) and time.monotonic() < end:
        time.sleep(0.1)
    return seen
