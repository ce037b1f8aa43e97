"""Compares what Freehand sees with what is there."""

import re
import unicodedata

# What each kind of thing may be called in the list: a switch is a checkbox to some programs.
ACCEPTED = {
    "button": {"button", "toggle", "clickable", "menu_item"},
    "toggle": {"toggle", "checkbox", "button"},
    "checkbox": {"checkbox", "toggle", "menu_item"},
    "radio": {"radio", "menu_item"},
    "link": {"link", "button"},
    "textbox": {"textbox"},
    "password": {"password"},
    "moment": {"moment", "textbox", "spinner"},
    "dropdown": {"dropdown", "textbox", "toggle", "button"},
    "option": {"option", "list_item", "menu_item", "cell"},
    "list_item": {"list_item", "option", "cell", "clickable"},
    "menu_item": {"menu_item", "menu", "button"},
    "tab": {"tab"},
    "slider": {"slider"},
    "spinner": {"spinner", "textbox"},
    "tree_item": {"tree_item", "list_item"},
    "cell": {"cell", "clickable"},
    "clickable": {"clickable", "button", "link", "image", "text", "heading"},
}
# What the list says can be used. Cells, list items and menus may also only be read.
USABLE = {
    "button", "checkbox", "radio", "toggle", "link", "textbox", "password", "moment", "dropdown", "option",
    "menu_item", "tab", "slider", "spinner", "tree_item", "clickable",
}  # fmt: skip
READABLE = {"text", "heading", "cell", "header", "list_item"}
# How far in CSS px from where a word stands the element may be that says it: a field says its label.
NEAR = 200
# The same where the pixels alone are read.
TOUCH = 3
# The share of both boxes that the element and the thing must have in common.
OVERLAP = 0.5
# The share of a thing that an element must have that lies within it.
INNER = 0.2


def score(truth, seen, area=None):
    """What of the `truth` is `seen`, within the `area` of the screen that the truth tells of."""
    elements = [e for e in seen["elements"] if not area or inside(centre(box_of(e)), area)]
    pairs, used = match(truth["items"], elements)
    sure = [item for item in truth["items"] if item["sure"]]
    found = [item for item in sure if item["id"] in pairs]
    wrong = [item for item in found if not same_name(item, pairs[item["id"]])]
    listed = [e for e in elements if e["role"] in USABLE]
    extra = [e for e in listed if e["id"] not in used] if not truth.get("partial") else []
    shown = set(re.findall(r"\[(\d+)\] ", seen["list"]))
    near = NEAR * truth["scale"]
    unread = [word for word in truth["words"] if not is_read(word, elements, near)]
    said = [(e, word) for e in elements if e["role"] in READABLE for word in tokens(e["name"])]
    there = fold(" ".join(w["text"] for w in truth["words"]) + " " + " ".join(i["name"] for i in truth["items"]))
    made_up = [(e, word) for e, word in said if word not in there] if not truth.get("partial") else []
    return {
        "items": len(sure),
        "found": len(found),
        "shown": sum(str(pairs[item["id"]]["id"]) in shown for item in found),
        "named": len(found) - len(wrong),
        "listed": len(listed),
        "extra": [describe(e) for e in extra],
        "missing": [f"{i['role']} {i['name'][:50]!r} at {i['box'] and [round(v) for v in i['box']]}" for i in sure if i["id"] not in pairs],
        "misnamed": [f"{i['role']} {i['name'][:50]!r} is {describe(pairs[i['id']])}" for i in wrong],
        "words": len(truth["words"]),
        "unread": [word["text"] for word in unread],
        "said": len(said),
        "made_up": [f"{word} in {describe(e)}" for e, word in made_up],
        "tokens": seen["tokens"],
        "gaps": seen.get("gaps", []),
        # Of the texts in a row that reacts to clicks not always the same one stands for it.
        "numbers": {thing: element["id"] for thing, element in pairs.items() if element["role"] in USABLE},
        "called": {i["id"]: f"{i['role']} {i['name'][:50]!r}" for i in truth["items"]},
        "seen": {e["id"]: describe(e) for e in elements},
    }


def score_pixels(truth, seen, area=None):
    """The same for a list that was made from the pixels alone, where nothing has a kind: what counts is
    that an element lies in the thing, so that a click on it arrives, and that words stand where they are."""
    elements = [e for e in seen["elements"] if not area or inside(centre(box_of(e)), area)]
    scale = truth["scale"]
    sure = [item for item in truth["items"] if item["sure"]]
    pairs = match_pixels(truth["items"], elements)
    found = [item for item in sure if item["id"] in pairs]
    named = [item for item in found if not item["name"] or letters(item["name"]) & letters(pairs[item["id"]]["name"])]
    unread = [word for word in truth["words"] if not stands_there(word, elements, TOUCH * scale)]
    there = {fold(word) for thing in [*truth["words"], *truth["items"]] for word in tokens(thing.get("text") or thing["name"])}
    texts = [e for e in elements if e["source"] == "ocr"]
    said = [(e, word) for e in texts for word in tokens(e["name"])]
    wrong = [(e, word) for e, word in said if not any(bare(word) in bare(other) for other in there)] if not truth.get("partial") else []
    drawn = truth.get("drawn", [])
    stands_for = lambda e: any(inside(centre(box_of(e)), box) for box in [*drawn, *(i["box"] for i in truth["items"])])
    empty = [e for e in texts if tokens(e["name"]) and all((e, word) in wrong for word in tokens(e["name"]))]
    extra = [e for e in elements if e["source"] == "vision" and not stands_for(e)] + empty if not truth.get("partial") else []
    shown = set(re.findall(r"\[(\d+)\] ", seen["list"]))
    return {
        "items": len(sure),
        "found": len(found),
        "shown": sum(str(pairs[item["id"]]["id"]) in shown for item in found),
        "named": len(named),
        "listed": len(elements),
        "extra": [describe(e) for e in extra],
        "missing": [f"{i['role']} {i['name'][:50]!r} at {i['box'] and [round(v) for v in i['box']]}" for i in sure if i["id"] not in pairs],
        "misnamed": [f"{i['role']} {i['name'][:50]!r} is {describe(pairs[i['id']])}" for i in found if i not in named],
        "words": len(truth["words"]),
        "unread": [word["text"] for word in unread],
        "cjk": sum(is_cjk(word) for word in truth["words"]),
        "unread_cjk": sum(is_cjk(word) for word in unread),
        "said": len(said),
        "made_up": [f"{word} in {describe(e)}" for e, word in wrong],
        "tokens": seen["tokens"],
        "gaps": seen.get("gaps", []),
        # Of what an edge leaves a strip of, neither its text nor its shape shows any more.
        "numbers": {item["id"]: pairs[item["id"]]["id"] for item in found},
        "called": {i["id"]: f"{i['role']} {i['name'][:50]!r}" for i in truth["items"]},
        "seen": {e["id"]: describe(e) for e in elements},
        # Of several elements that lie in a thing not always the same one stands for it.
        "within": {i["id"]: {e["id"] for e in elements if i["box"] and inside(centre(box_of(e)), i["box"])} for i in truth["items"]},
    }


def match_pixels(items, elements):
    """An element of its own for each thing: one that lies in it, best one that says its name."""
    pairs, used, choices = {}, set(), []
    for item in items:
        for element in elements:
            says = bool(letters(item["name"]) & letters(element["name"]))
            if item["box"] is None and same_name(item, element):
                choices.append((2.0, item, element))
            elif item["box"] is not None and inside(centre(box_of(element)), item["box"]):
                choices.append((says + overlap(item["box"], box_of(element)), item, element))
    for _, item, element in sorted(choices, key=lambda choice: -choice[0]):
        if item["id"] not in pairs and element["id"] not in used:
            pairs[item["id"]] = element
            used.add(element["id"])
    return pairs


def stands_there(word, elements, reach):
    """Whether a text says the word right where it stands."""
    wanted = bare(word["text"])
    for element in elements:
        if wanted in bare(element["name"]) and (word["box"] is None or overlap(wider(word["box"], reach), box_of(element)) > 0):
            return True
    return False


def wider(box, by):
    return [box[0] - by, box[1] - by, box[2] + 2 * by, box[3] + 2 * by]


def bare(text):
    """The letters, digits and signs without blanks; wide forms of signs are the same signs."""
    return "".join(fold(unicodedata.normalize("NFKC", text)).split())


def letters(text):
    """The words of a name, to see whether two have one in common."""
    return {bare(word) for word in tokens(text)}


def is_cjk(word):
    return re.search(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]", word["text"]) is not None


def match(items, elements):
    """The element for each thing, by place and kind, the name only to decide between two."""
    pairs, used = {}, set()
    choices = []
    for item in items:
        for element in elements:
            if element["role"] in ACCEPTED[item["role"]]:
                if item["box"] is None:
                    if same_name(item, element):
                        choices.append((2.0, item, element))
                elif fits(item, box_of(element)):
                    value = overlap(item["box"], box_of(element)) + 0.5 * same_name(item, element)
                    if element["role"] not in USABLE:
                        # Of several texts in it the same one at every look.
                        value = -box_of(element)[0]
                    choices.append((value, item, element))
    for _, item, element in sorted(choices, key=lambda choice: -choice[0]):
        if item["id"] not in pairs and element["id"] not in used:
            pairs[item["id"]] = element
            used.add(element["id"])
    return pairs, used


def fits(item, box):
    """Whether a click on the middle of the box would arrive, and the box is that of the thing."""
    if not inside(centre(box), item["box"]):
        return False
    # Of a ticked box or a date only a part may be named: the box itself, the first number.
    # What only reacts to clicks has no better name than a text in it, and a click on that text arrives.
    part = item["role"] in ("checkbox", "radio", "moment", "toggle", "clickable")
    # Some toolkits tell of the inner part, without the edge that is drawn around it.
    inner = within(box, item["box"]) and box[2] * box[3] >= item["box"][2] * item["box"][3] * INNER
    return part or inner or overlap(item["box"], box) >= OVERLAP


def is_read(word, elements, reach):
    # A field says its label without the colon.
    wanted = plain(word["text"]) or fold(word["text"])
    for element in elements:
        near = word["box"] is None or distance(centre(word["box"]), box_of(element)) <= reach
        said = [element["name"], element.get("value") or "", element.get("description") or ""]
        if near and wanted in plain(" ".join(said)):
            return True
    return False


def same_name(item, element):
    want, have = plain(item["name"]), plain(element["name"])
    if item["role"] == "clickable" and element["role"] != "clickable":
        return have in want
    if not want:
        return True
    if len(have) >= 100 and want.startswith(have[:100]):
        return True
    # Some say more: which file has been chosen.
    return want == have or have.startswith((want + ":", want + " browse"))


def plain(text):
    # Invisible marks of direction and line breaks are no letters of a name, nor where they are written out.
    text = re.sub(r"\\u\{[0-9a-f]+\}", " ", text)
    text = "".join(" " if unicodedata.category(c) in ("Cf", "Cc") else c for c in text)
    return " ".join(text.casefold().replace("…", "").split()).strip(" :*")


def fold(text):
    return text.casefold()


def tokens(text):
    cjk = r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
    return [fold(word) for word in re.findall(rf"{cjk}|[^\s\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+", text) if any(c.isalnum() for c in word)]


def describe(element):
    b = element["bounds"]
    return f"[{element['id']}] {element['role']} {element['name'][:50]!r} at {[b['x'], b['y'], b['width'], b['height']]}"


def box_of(element):
    b = element["bounds"]
    return [b["x"], b["y"], b["width"], b["height"]]


def centre(box):
    return box[0] + box[2] / 2, box[1] + box[3] / 2


def inside(point, box):
    return box[0] - 1 <= point[0] <= box[0] + box[2] + 1 and box[1] - 1 <= point[1] <= box[1] + box[3] + 1


def within(box, other):
    return overlap(box, other) > 0 and all(
        [box[0] >= other[0] - 2, box[1] >= other[1] - 2, box[0] + box[2] <= other[0] + other[2] + 2, box[1] + box[3] <= other[1] + other[3] + 2]
    )


def distance(point, box):
    across = max(box[0] - point[0], 0, point[0] - box[0] - box[2])
    down = max(box[1] - point[1], 0, point[1] - box[1] - box[3])
    return max(across, down)


def overlap(a, b):
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / (a[2] * a[3] + b[2] * b[3] - both)


def changed_numbers(before, after):
    """How many things are in both looks, and which of them do not have the number any more that they had, or which
    have one that stood for another thing before."""
    both = [thing for thing in before["numbers"] if thing in after["numbers"]]
    within = after.get("within", {})
    has = lambda thing, number: number == after["numbers"][thing] or number in within.get(thing, ())
    changed = [thing for thing in both if not has(thing, before["numbers"][thing])]
    told = [change(thing, before, after) for thing in changed] + given_away(before, after)
    # It is asked for by the number that it has had, however many others lie in it for a while.
    after["numbers"].update({thing: before["numbers"][thing] for thing in both if thing not in changed})
    return len(both), told


def change(thing, before, after):
    """One thing whose number has changed: what stood for it, what does now, and where its number is."""
    old = before["numbers"][thing]
    now = after["seen"][after["numbers"][thing]]
    gone = f"{old} is {after['seen'][old]}" if old in after["seen"] else f"{old} is gone"
    return f"{after['called'][thing]} was {before['seen'][old]}, is {now}, {gone}"


def given_away(before, after):
    """The numbers of what lay in one thing and lies in another now, though that one was there before or is another."""
    holders = lambda look: {n: {t for t, inside in look.get("within", {}).items() if n in inside} for n in look["seen"]}
    was, now = holders(before), holders(after)
    given = [n for n in was if was[n] and now.get(n) and not was[n] & now[n]]
    return [f"{before['seen'][n]} has been given to {after['seen'][n]}" for n in given]
