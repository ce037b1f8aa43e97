"""Everyday tasks: what is asked for, in the words that people use, and what shows from outside that it is done.
Each begins on an empty display, so the program has to be found first. What a page may hold is made up."""

import os
import zipfile

ORDER = """<title>Tickets</title><h1>Order a ticket</h1><form method=post action=/order>
<p><label>Name <input name=name></label><p><label>Seat <select name=seat><option>Aisle<option>Window</select></label>
<p><label><input type=checkbox name=luggage value=yes> Extra luggage</label><p><button>Send order</button></form>"""

LOGIN = """<title>Members</title><h1>Sign in</h1><form method=post action=/login>
<p><label>User name <input name=user></label><p><label>Password <input type=password name=password></label>
<p><button>Sign in</button></form>"""

SHOP = """<title>Shop</title><h1>Kettles</h1><ul>
<li>Blue kettle, 24 euros <button onclick="location='/buy?item=blue'">Buy blue kettle</button>
<li>Red kettle, 19 euros <button onclick="location='/buy?item=red'">Buy red kettle</button>
<li>Green kettle, 31 euros <button onclick="location='/buy?item=green'">Buy green kettle</button></ul>"""

LETTERS = """<title>Letters</title><h1>Get our letters</h1><form method=post action=/letters>
<p><label>E-mail <input name=mail type=email></label>
<p><label><input type=radio name=often value=day> Every day</label>
<label><input type=radio name=often value=week> Every week</label>
<p><button>Subscribe</button></form>"""

SEARCH = """<title>Library</title><h1>Library</h1><form action=/find>
<input name=q placeholder="Title or author"> <button>Search</button></form>
<p><a href=/hours>Opening hours</a> <a href=/help>Help</a>"""

TABLE = """<title>Osteria</title><h1>Reserve a table</h1><form method=post action=/reserve>
<p><label>Persons <select name=persons><option>1<option>2<option>3<option>4<option>5</select></label>
<p><label>Time <select name=time><option>18:00<option>18:30<option>19:00<option>19:30</select></label>
<p><label>Name <input name=name></label><p><button>Reserve</button></form>"""

CONTACT = """<title>Contact</title><h1>Write to us</h1><form method=post action=/message>
<p><label>Department <select name=to><option>Support<option>Sales<option>Press</select></label>
<p><label>Message <textarea name=text rows=4 cols=40></textarea></label><p><button>Send</button></form>"""

SETTINGS = """<title>Settings</title><h1>Settings</h1><form method=post action=/settings/save>
<p><label><input type=checkbox name=newsletter value=on checked> Newsletter</label>
<p><label><input type=checkbox name=offers value=on checked> Offers of partners</label>
<p><button>Save changes</button></form>"""

ROOMS = """<title>Hotel</title><h1>Rooms</h1><table cellpadding=8>
<tr><td>Garden room<td>80 euros<td><button onclick="location='/book?room=garden'">Book</button>
<tr><td>Sea room<td>140 euros<td><button onclick="location='/book?room=sea'">Book</button>
<tr><td>Attic room<td>65 euros<td><button onclick="location='/book?room=attic'">Book</button></table>"""

DOCS = """<title>Help</title><h1>Help</h1><ul><li><a href=/docs/orders>How to order</a>
<li><a href=/docs/delivery>Delivery</a><li><a href=/docs/refunds>Refunds</a><li><a href=/docs/contact>Contact</a></ul>"""

REGISTER = """<title>Register</title><h1>New account</h1><form method=post action=/account>
<p><label>Full name <input name=name></label><p><label>E-mail <input name=mail></label>
<p><label><input type=checkbox name=terms value=yes> I accept the terms</label><p><button>Register</button></form>"""

NOTES = """<title>Notes</title><h1>To do</h1><ul>
<li>Water the plants <button onclick="location='/done?note=plants'">Done</button>
<li>Pay rent <button onclick="location='/done?note=rent'">Done</button>
<li>Call the dentist <button onclick="location='/done?note=dentist'">Done</button></ul>"""

BASKET = """<title>Paper shop</title><h1>Notebook</h1><p>Ruled, 96 pages<form method=post action=/basket/add>
<p><label>Quantity <input type=number name=number value=1 min=1></label><p><button>Add to basket</button></form>"""

PROFILE = """<title>Profile</title><h1>Profile</h1><div role=tablist><button role=tab aria-selected=true id=a
onclick="show('account', this)">Account</button><button role=tab aria-selected=false onclick="show('language', this)">Language</button></div>
<div role=tabpanel class=panel data-name=account><p>Your account is active.</div>
<div role=tabpanel class=panel data-name=language hidden><form method=post action=/profile/save>
<p><label>Language <select name=language><option>English<option>Danish<option>Polish</select></label><p><button>Save</button></form></div>
<script>function show(name, tab) {
for (const panel of document.querySelectorAll(".panel")) panel.hidden = panel.dataset.name !== name;
for (const other of document.querySelectorAll("[role=tab]")) other.setAttribute("aria-selected", other === tab);
}</script>"""

MAIL = """<title>Mail</title><h1>New message</h1><form method=post action=/mail/send>
<p><label>To <input name=to></label><p><label>Subject <input name=subject></label>
<p><label>Message <textarea name=text rows=4 cols=40></textarea></label><p><button>Send</button></form>"""

SHIRTS = """<title>Shirts</title><h1>Shirt</h1><form method=post action=/shirts/order><fieldset><legend>Colour</legend>
<label><input type=radio name=colour value=red> Red</label> <label><input type=radio name=colour value=blue> Blue</label>
<label><input type=radio name=colour value=white> White</label></fieldset>
<p><label>Size <select name=size><option>S<option>M<option>L</select></label><p><button>Order</button></form>"""

FILES = """<title>Files</title><h1>Maps</h1><ul>
<li>World map, 340 MB <button onclick="location='/get?file=world'">Download</button>
<li>City map, 12 MB <button onclick="location='/get?file=city'">Download</button>
<li>Trail map, 55 MB <button onclick="location='/get?file=trail'">Download</button></ul>"""

STAY = """<title>Guest house</title><h1>Book a stay</h1><form method=post action=/stay/book>
<p><label>Nights <input type=number name=nights value=1 min=1></label><p><label>Your name <input name=name></label>
<p><button>Book now</button></form>"""

VOTE = """<title>Trip</title><h1>Where shall we go?</h1><form method=post action=/vote/cast>
<p><label><input type=radio name=place value=beach> Beach house</label><p><label><input type=radio name=place value=flat> City flat</label>
<p><label><input type=radio name=place value=hut> Mountain hut</label><p><button>Vote</button></form>"""

INBOX = """<title>Inbox</title><h1>Inbox</h1><ul><li><a href=/inbox/ben>Ben: Football on Sunday</a>
<li><a href=/inbox/carla>Carla: Invoice for May</a><li><a href=/inbox/dora>Dora: Holiday pictures</a></ul>"""

DATES = """<title>Practice</title><h1>Your appointments</h1><table cellpadding=8>
<tr><td>Monday, 9:00<td><button onclick="location='/cancel?day=monday'">Cancel</button>
<tr><td>Tuesday, 14:30<td><button onclick="location='/cancel?day=tuesday'">Cancel</button>
<tr><td>Friday, 11:00<td><button onclick="location='/cancel?day=friday'">Cancel</button></table>"""

SOUND = """<title>Sound</title><h1>Sound</h1><form method=post action=/sound/apply>
<p><label><input type=checkbox name=mute value=yes> Mute all</label><p><label><input type=checkbox name=boost value=yes> Boost</label>
<p><button>Apply</button></form>"""

PAGES = {
    "/mail": MAIL, "/shirts": SHIRTS, "/files": FILES, "/stay": STAY, "/vote": VOTE, "/inbox": INBOX, "/appointments": DATES, "/sound": SOUND,
    "/tickets": ORDER, "/members": LOGIN, "/kettles": SHOP, "/news": LETTERS, "/library": SEARCH, "/table": TABLE,
    "/contact": CONTACT, "/settings": SETTINGS, "/rooms": ROOMS, "/docs": DOCS, "/register": REGISTER, "/notes": NOTES,
    "/notebook": BASKET, "/profile": PROFILE,
}  # fmt: skip


class Task:
    """What is asked for, with `{web}` for the address of the pages; and whether it is done, told by
    the home folder and what the server was sent."""

    def __init__(self, name, words, done):
        self.name, self.words, self.done = name, words, done


def text_in(home, name):
    for folder in (home, os.path.join(home, "Documents"), os.path.join(home, "Desktop")):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                return file.read().strip()
    return None


def document_in(home, name, part="content.xml"):
    for folder in (home, os.path.join(home, "Documents")):
        try:
            with zipfile.ZipFile(os.path.join(folder, name)) as document:
                return document.read(part).decode()
        except (OSError, KeyError, zipfile.BadZipFile):
            pass
    return ""


def holds(name, text):
    return lambda home, _: text_in(home, name) == text


def sent(*parts):
    return lambda _, hits: any(all(part in hit for part in parts) for hit in hits)


TASKS = [
    # Here while the rules of the planner were made.
    Task("note", "Write 'Buy milk' in the text editor and save it as todo.txt", holds("todo.txt", "Buy milk")),
    Task("mousepad", 'Open Mousepad, write "The meeting is at 10" and save the file as notes.txt', holds("notes.txt", "The meeting is at 10")),
    Task("file", 'Save a text file called wifi.txt that says "Guest network: Heron"', holds("wifi.txt", "Guest network: Heron")),
    Task("writer", 'Write "Dear Ann" in LibreOffice Writer and save it as letter.odt', lambda home, _: "Dear Ann" in document_in(home, "letter.odt")),
    Task("order", 'Open {web}/tickets, enter the name "Grace Hopper", choose the seat "Window", tick "Extra luggage" and press "Send order"',
         sent("/order", "Grace+Hopper", "seat=Window", "luggage=yes")),
    Task("login", 'Go to {web}/members and sign in with the user name "ann" and the password "heron7"', sent("/login", "user=ann", "password=heron7")),
    Task("cheapest", "Buy the cheapest kettle at {web}/kettles", sent("/buy?item=red")),
    Task("named", "On {web}/kettles buy the green kettle", sent("/buy?item=green")),
    Task("letters", "Subscribe to the weekly letters at {web}/news with the address ann@example.org", sent("/letters", "often=week", "ann%40example.org")),
    Task("search", 'Search for "Moby Dick" in the library at {web}/library', sent("/find?q=Moby+Dick")),
    # Tried once before the rules were made any further.
    Task("calc", "Type 42 into the first cell in LibreOffice Calc and save it as answer.ods", lambda home, _: ">42<" in document_in(home, "answer.ods")),
    Task("shopping", "Make a text file named shopping.txt with the text 'eggs and bread'", holds("shopping.txt", "eggs and bread")),
    Task("german", "Schreibe „Milch kaufen“ in einen Texteditor und speichere es als einkauf.txt", holds("einkauf.txt", "Milch kaufen")),
    Task("table", 'Reserve a table for 4 at 19:00 under the name "Lund" at {web}/table', sent("/reserve", "persons=4", "time=19%3A00", "name=Lund")),
    Task("contact", 'Send the message "Please call me" to the sales department at {web}/contact', sent("/message", "to=Sales", "Please+call+me")),
    Task("settings", "Turn off the newsletter at {web}/settings and save the changes", lambda _, hits: any("/settings/save" in hit and "newsletter" not in hit and "offers=on" in hit for hit in hits)),
    Task("dearest", "Book the most expensive room at {web}/rooms", sent("/book?room=sea")),
    Task("refunds", "Open the page about refunds at {web}/docs", sent("/docs/refunds")),
    Task("register", "Register at {web}/register with the name Lea Roth and the e-mail lea@example.org, and accept the terms", sent("/account", "Lea+Roth", "lea%40example.org", "terms=yes")),
    Task("done", 'Mark the note "Pay rent" as done at {web}/notes', sent("/done?note=rent")),
    Task("basket", "Put 3 notebooks into the basket at {web}/notebook", sent("/basket/add", "number=3")),
    Task("danish", "Change the language to Danish at {web}/profile", sent("/profile/save", "language=Danish")),
    # Tried once after that; two of them led to further rules.
    Task("phone", "Write the phone number 555 0192 into a new text file and save it as ann.txt", holds("ann.txt", "555 0192")),
    Task("mail", 'Write to bob@example.org with the subject "Lunch" and the message "Shall we meet at noon?" at {web}/mail and send it',
         sent("/mail/send", "bob%40example.org", "subject=Lunch", "Shall+we+meet+at+noon")),
    Task("shirt", "Order the blue shirt in size M at {web}/shirts", sent("/shirts/order", "colour=blue", "size=M")),
    Task("smallest", "Download the smallest map at {web}/files", sent("/get?file=city")),
    Task("nights", "Book a stay of 2 nights for Mia Berg at {web}/stay", sent("/stay/book", "nights=2", "Mia+Berg")),
    Task("vote", "Vote for the mountain hut at {web}/vote", sent("/vote/cast", "place=hut")),
    Task("carla", "Open the message from Carla at {web}/inbox", sent("/inbox/carla")),
    Task("tuesday", "Cancel my appointment on Tuesday at {web}/appointments", sent("/cancel?day=tuesday")),
    Task("mute", 'Tick "Mute all" at {web}/sound and apply it', lambda _, hits: any("/sound/apply" in hit and "mute=yes" in hit and "boost" not in hit for hit in hits)),
    Task("french", "Écris «Bonjour» dans un éditeur de texte et enregistre-le sous salut.txt", holds("salut.txt", "Bonjour")),
]  # fmt: skip
