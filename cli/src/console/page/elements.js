// Makes elements. Whatever comes from a screen or a model becomes text and never markup, with nothing
// hidden in it.

// The same rule as in tools/src/visible.rs; breaks of lines and tabs are shown as such here.
const HIDDEN = /(?![\t\n])[\p{Cc}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/u;
const PICTURE = /(?<=[\ufe0f\p{Extended_Pictographic}\p{Emoji_Modifier}])\u200d(?=\p{Extended_Pictographic})|(?<=\p{Emoji})[\ufe0e\ufe0f]/u;
const IDEOGRAPH = /(?<=\p{Ideographic})[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/u;
const CURSIVE = "[\\p{Script=Arabic}\\p{Script=Syriac}\\p{Script=Nko}\\p{Script=Mongolian}]";
const VIRAMA = "[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca\u1039\u17d2]";
const JOINED = `(?<=${CURSIVE})[\u200c\u200d](?=${CURSIVE})|(?<=${VIRAMA})[\u200c\u200d]`;
// What is told of words of a right-to-left script ends where their quotes do.
const RIGHT_TO_LEFT = "[\\p{Script=Hebrew}\\p{Script=Arabic}\\p{Script=Syriac}\\p{Script=Thaana}\\p{Script=Nko}]";
const TURNED = new RegExp(`(${RIGHT_TO_LEFT}[^\\p{L}"\`“”\\n\u200e]*)\u200e?(?=["\`“”\\n]|$)`, "gu");
const MARKED = new RegExp(`(\u200e(?=["\`“”\\n]|$)|${PICTURE.source}|${IDEOGRAPH.source}|${JOINED})|${HIDDEN.source}`, "gu");

// The text with what cannot be seen written out. What follows it cannot be drawn among its letters.
export function visible(text) {
  const shown = String(text).replace(MARKED, (c, needed) => needed ?? `\\u{${c.codePointAt(0).toString(16)}}`);
  return shown.replace(TURNED, "$1\u200e");
}

// The text in quotes that it cannot end.
export function quoted(text) {
  return `“${visible(String(text).replace(/[“”]/g, "'"))}”`;
}

// An element with attributes and children; a child that is no element becomes text.
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) {
      made.addEventListener(name.slice(2), value);
    } else if (value === true) {
      made.setAttribute(name, "");
    } else if (value !== false && value !== undefined) {
      made.setAttribute(name, value);
    }
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export const byId = (id) => document.getElementById(id);

// Changes a text only where it is another one: a screen reader reads what changes.
export function say(node, text) {
  const shown = visible(text);
  if (node.textContent !== shown) {
    node.textContent = shown;
  }
}

export function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}
