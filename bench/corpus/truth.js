// What a person could use and read on this page, told by the page itself: what the browser tells the
// accessibility bus plays no part. A thing counts when a click on it would arrive: points inside it are
// looked up from the top. Boxes are in CSS px of the top window. Gives {items, words, drawn}, the last of them the
// boxes in which something is drawn that is neither.
(() => {
  const KINDS = {
    button: 'button', link: 'link', checkbox: 'checkbox', switch: 'toggle', radio: 'radio', tab: 'tab',
    menuitem: 'menu_item', menuitemcheckbox: 'checkbox', menuitemradio: 'radio', option: 'option',
    slider: 'slider', spinbutton: 'spinner', textbox: 'textbox', searchbox: 'textbox', combobox: 'dropdown',
    treeitem: 'tree_item',
  };
  const INPUTS = {
    button: 'button', submit: 'button', reset: 'button', image: 'button', file: 'button', color: 'button',
    checkbox: 'checkbox', radio: 'radio', range: 'slider', number: 'spinner', password: 'password',
    date: 'moment', time: 'moment', week: 'moment', month: 'moment', 'datetime-local': 'moment',
  };
  const CONTENT = ['button', 'link', 'checkbox', 'toggle', 'radio', 'tab', 'menu_item', 'option', 'tree_item', 'clickable', 'cell'];
  const tokens = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]|[^\s\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]+/gu;
  window.truthIds ??= {of: new WeakMap(), next: 1};
  const idOf = (el) => truthIds.of.get(el) ?? (truthIds.of.set(el, truthIds.next), truthIds.next++);
  const tidy = (text) => (text ?? '').replace(/\s+/g, ' ').trim();

  function kind(el) {
    const role = el.getAttribute('role'), tag = el.localName;
    if (el.hasAttribute('aria-pressed')) return 'toggle';
    if (tag === 'input' && role !== 'combobox' && el.type === 'hidden') return null;
    if (role === 'combobox' && tag === 'input') return 'textbox';
    if (role === 'gridcell' && el.onclick) return 'cell';
    if (KINDS[role]) return KINDS[role];
    if (tag === 'button' || (tag === 'summary' && el.parentElement.localName === 'details')) return 'button';
    // In a text that is edited a click on a link sets the cursor.
    if (tag === 'a' && el.href) return el.isContentEditable ? null : 'link';
    if (tag === 'input') return INPUTS[el.type] ?? 'textbox';
    if (tag === 'textarea') return 'textbox';
    if (tag === 'select') return el.multiple || el.size > 1 ? null : 'dropdown';
    if (tag === 'option') return el.closest('select')?.matches('[multiple],[size]') ? 'option' : null;
    if (el.isContentEditable && !el.parentElement?.isContentEditable) return 'textbox';
    return el.onclick && role !== 'row' ? 'clickable' : null;
  }

  // The words in it as a reader would say them.
  function content(el) {
    if (el.localName === 'img') return el.alt;
    if (el.localName === 'svg') return el.querySelector('title')?.textContent ?? el.getAttribute('aria-label') ?? '';
    if (['input', 'select', 'textarea', 'datalist'].includes(el.localName)) return '';
    const skip = (node) => node.localName === 'ul' && el.getAttribute('role') === 'treeitem';
    return [...el.childNodes].map((node) => node.nodeType === 3 ? node.data : node.nodeType === 1 && !skip(node) ? ' ' + content(node) + ' ' : '').join('');
  }

  function name(el, kind) {
    const root = el.getRootNode(), by = el.getAttribute('aria-labelledby');
    const labels = [...(el.labels ?? [])].map(content).join(' ');
    const own = el.localName === 'input' && ['button', 'submit', 'reset'].includes(el.type) ? el.value || {reset: 'Reset', submit: 'Submit'}[el.type] : '';
    const tries = [
      by && by.split(/\s+/).map((id) => content(root.getElementById(id) ?? document.body)).join(' '),
      el.getAttribute('aria-label'), labels, own, el.alt,
      CONTENT.includes(kind) && el.localName !== 'input' ? content(el) : '',
      el.title, el.placeholder,
    ];
    const said = tidy(tries.find((text) => tidy(text)) ?? '').slice(0, 400);
    // A sign alone is no name where there is a better one.
    const hint = el.title || content(root.getElementById(el.getAttribute('aria-describedby')) ?? el.ownerDocument.createElement('i'));
    return /[\p{L}\p{N}]/u.test(said) ? said : tidy(hint) || said;
  }

  // The topmost element at a point of the top window, through frames and shadows.
  function topmost(x, y) {
    let doc = document, el = doc.elementFromPoint(x, y);
    for (;;) {
      if (el?.localName === 'iframe' && el.contentDocument) {
        const at = inner(el);
        x -= at.x; y -= at.y;
        const deeper = el.contentDocument.elementFromPoint(x, y);
        if (!deeper) return el;
        el = deeper;
      } else if (el?.shadowRoot) {
        const deeper = el.shadowRoot.elementFromPoint(x, y);
        if (!deeper || deeper === el) return el;
        el = deeper;
      } else return el;
    }
  }
  const inner = (frame) => {
    const box = frame.getBoundingClientRect(), style = getComputedStyle(frame);
    const side = (name) => parseFloat(style['border' + name + 'Width']) + parseFloat(style['padding' + name]);
    return {x: box.x + side('Left'), y: box.y + side('Top'), width: box.width - side('Left') - side('Right'), height: box.height - side('Top') - side('Bottom')};
  };
  const cut = (a, b) => {
    const x = Math.max(a.x, b.x), y = Math.max(a.y, b.y);
    const width = Math.min(a.x + a.width, b.x + b.width) - x, height = Math.min(a.y + a.height, b.y + b.height) - y;
    return width > 0 && height > 0 ? {x, y, width, height} : null;
  };
  const union = (boxes) => {
    const x = Math.min(...boxes.map((b) => b.x)), y = Math.min(...boxes.map((b) => b.y));
    return {x, y, width: Math.max(...boxes.map((b) => b.x + b.width)) - x, height: Math.max(...boxes.map((b) => b.y + b.height)) - y};
  };
  const up = (el) => el.assignedSlot ?? el.parentElement ?? (el.getRootNode() instanceof ShadowRoot ? el.getRootNode().host : null);

  // What its scrolling and clipping ancestors leave of a box.
  function clipped(el, box, place, inside = false) {
    for (let at = el; at && box; at = up(at)) {
      const style = getComputedStyle(at);
      if ((inside || at !== el) && style.overflow !== 'visible' && style.display !== 'inline' && at !== at.ownerDocument.documentElement && at !== at.ownerDocument.body)
        box = cut(box, moved(at.getBoundingClientRect(), place));
      if (style.position === 'fixed') break;
    }
    return box && cut(box, place.clip);
  }
  const moved = (box, place) => ({x: box.x + place.x, y: box.y + place.y, width: box.width, height: box.height});

  const owner = (hit) => {
    for (let at = hit; at; at = up(at)) {
      if (at.localName === 'label' && at.control) return at.control;
      if (kind(at)) return at;
    }
    return null;
  };

  function boxes(el) {
    const below = el.getAttribute('role') === 'treeitem' && el.querySelector('[role=group]');
    if (below) {
      const box = el.getBoundingClientRect();
      return [{x: box.x, y: box.y, width: box.width, height: below.getBoundingClientRect().y - box.y}];
    }
    const labels = ['checkbox', 'radio'].includes(el.type) ? [...el.labels] : [];
    return [el, ...labels].flatMap((part) => [...part.getClientRects()]);
  }

  function item(el, place, items) {
    const is = kind(el);
    if (!is || !el.checkVisibility({visibilityProperty: true}) || el.matches(':disabled option')) return;
    const seen = boxes(el).map((box) => clipped(el, moved(box, place), place)).filter(Boolean);
    if (!seen.length) return;
    let [hits, points] = [0, 0];
    for (const box of seen) for (const i of [1, 3, 5]) for (const j of [1, 3, 5]) {
      points++;
      const hit = topmost(box.x + box.width * i / 6, box.y + box.height * j / 6);
      if (hit && (owner(hit) === el || (hit.localName === 'select' && el.localName === 'option'))) hits++;
    }
    const box = union(seen);
    const faint = !el.checkVisibility({opacityProperty: true}) && !el.labels?.length;
    const withdrawn = el.closest('[aria-hidden=true]') !== null;
    if (hits) items.push({id: idOf(el), role: is, name: name(el, is), box: [box.x, box.y, box.width, box.height],
      sure: hits * 2 > points && box.width >= 5 && box.height >= 5 && !faint && !withdrawn});
  }

  function texts(node, place, words) {
    const el = node.parentElement ?? node.getRootNode().host;
    if (!el || ['script', 'style', 'option', 'title', 'textarea'].includes(el.localName) || !el.checkVisibility({visibilityProperty: true, opacityProperty: true})) return;
    const range = node.ownerDocument.createRange();
    for (const match of node.data.matchAll(tokens)) {
      range.setStart(node, match.index);
      range.setEnd(node, match.index + match[0].length);
      const box = clipped(el, moved(range.getBoundingClientRect(), place), place, true);
      if (!box || !/[\p{L}\p{N}]/u.test(match[0]) || box.width < 2 || box.height < 5) continue;
      const hit = topmost(box.x + box.width / 2, box.y + box.height / 2);
      if (hit && (hit === el || el.contains(hit) || hit.contains(el) || hit.shadowRoot?.contains(el)))
        words.push({text: match[0], box: [box.x, box.y, box.width, box.height]});
    }
  }

  // What stands in fields.
  function held(el, place, words) {
    const shows = (el.localName === 'input' && !INPUTS[el.type]) || el.localName === 'textarea' || el.localName === 'select';
    if (!shows || !el.checkVisibility({visibilityProperty: true, opacityProperty: true})) return;
    const box = clipped(el, moved(el.getBoundingClientRect(), place), place);
    if (!box || topmost(box.x + box.width / 2, box.y + box.height / 2) !== el) return;
    let text = el.localName === 'select' ? (el.multiple || el.size > 1 ? '' : el.selectedOptions[0]?.text) : el.value || el.placeholder;
    if (el.localName === 'textarea') text = text.split('\n').slice(Math.round(el.scrollTop / 18)).slice(0, el.rows).join(' ');
    for (const match of (text ?? '').matchAll(tokens)) words.push({text: match[0], box: [box.x, box.y, box.width, box.height]});
  }

  function visit(root, place, out) {
    for (const el of root.querySelectorAll('*')) {
      item(el, place, out.items);
      held(el, place, out.words);
      if (el.matches('canvas, svg, img, video, progress, meter')) {
        const box = clipped(el, moved(el.getBoundingClientRect(), place), place);
        if (box) out.drawn.push([box.x, box.y, box.width, box.height]);
      }
      if (el.shadowRoot) visit(el.shadowRoot, place, out);
      if (el.localName === 'iframe' && el.contentDocument?.body) {
        const at = moved(inner(el), place), clip = clipped(el, at, place);
        if (clip) visit(el.contentDocument, {x: at.x, y: at.y, clip}, out);
      }
    }
    const walker = (root.ownerDocument ?? root).createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) texts(node, place, out.words);
  }

  const out = {items: [], words: [], drawn: [], scale: devicePixelRatio};
  visit(document, {x: 0, y: 0, clip: {x: 0, y: 0, width: document.documentElement.clientWidth, height: innerHeight}}, out);
  return out;
})()
