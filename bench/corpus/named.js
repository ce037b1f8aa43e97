// What the instruction of a MiniWoB++ page names, told by the page itself. A thing is named when a click on
// it alone ends the episode well, when the instruction quotes, emphasises or just says its words, or when it is one of
// the drawn things that the task is about. Boxes are in CSS px. Gives {instruction, targets, typed}.
((task, seed) => {
  const DRAWN = {
    'bisect-angle': 'svg circle', 'right-angle': 'svg circle', 'circle-center': 'svg circle', 'chase-circle': 'svg circle',
    'moving-items': 'svg circle', 'count-shape': 'svg rect, svg circle, svg polygon, svg polyline, svg text',
    'count-sides': 'canvas', 'drag-cube': '.cube-image.active', 'drag-shapes': 'svg rect, svg circle, svg polygon, svg path',
    'drag-shapes-2': 'svg rect, svg circle, svg polygon, svg path', 'drag-single-shape': 'svg rect, svg circle, svg polygon, svg text',
    'draw-circle': 'svg circle', 'draw-line': 'svg circle', 'visual-addition': '#visual-1 *, #visual-2 *', 'text-transform': '#captcha',
    'resize-textarea': 'textarea', 'tic-tac-toe': '.ttt', 'click-shades': '#area span', 'drag-items-grid': '#area li', 'drag-items': '#area li',
  };
  const area = () => document.getElementById('area');
  const tidy = (text) => (text ?? '').replace(/\s+/g, ' ').trim();
  const plain = (text) => tidy(text).toLowerCase();
  const all = () => [...document.querySelectorAll('#wrap *, body > *:not(#wrap) *, body > [role]')]
    .filter((el) => !el.closest('#query, #reward-display, #click-canvas, #sync-task-cover, script, style, defs'));
  const box = (el) => { const r = el.getBoundingClientRect(); return [r.x, r.y, r.width, r.height]; };
  const shows = (el) => el.checkVisibility({visibilityProperty: true, opacityProperty: true}) && box(el)[2] > 1 && box(el)[3] > 1;
  const words = (el) => el.value || el.getAttribute('aria-label') || el.title || el.textContent;
  const places = all().map((el) => ({el, box: box(el), shows: shows(el), words: tidy(words(el)).slice(0, 80), tag: el.localName}));
  const said = core.getUtterance(), instruction = typeof said === 'string' ? said : said.utterance;

  // What is quoted or emphasised.
  const phrases = new Set([...document.querySelectorAll('#query .bold, #query b, #query strong')].map((el) => plain(el.textContent)));
  for (const match of instruction.matchAll(/["“]([^"”]+)["”]/g)) phrases.add(plain(match[1]));
  const named = new Map(), typed = [];
  for (const phrase of phrases) {
    if (!phrase) continue;
    const bare = phrase.replace(/[.,:;]+$/, '');
    const fits = (place) => plain(place.words) === phrase || plain(place.words) === bare;
    const found = places.filter((place) => fits(place) && place.tag !== 'option');
    const deepest = found.filter((place) => !found.some((other) => other !== place && place.el.contains(other.el)));
    const options = places.filter((place) => fits(place) && place.tag === 'option').map((place) => ({...place, box: box(place.el.closest('select')), shows: true}));
    const visible = [...deepest, ...options].filter((place) => place.shows);
    if (visible.length) visible.forEach((place) => named.set(place.el, {...place, how: 'words', phrase: bare}));
    else typed.push({phrase: bare, hidden: found.length > 0});
  }
  // What can be pressed and is called by its words without quotes: `press submit`.
  const sentence = ' ' + plain(instruction).replace(/[^\p{L}\p{N}#]+/gu, ' ') + ' ';
  for (const place of places.filter((place) => place.shows && place.el.matches('button, a, input[type=submit], input[type=button], [role=tab], th'))) {
    const called = plain(place.words).replace(/[^\p{L}\p{N}#]+/gu, ' ').trim();
    if (called.length > 2 && sentence.includes(` ${called} `) && !named.has(place.el)) named.set(place.el, {...place, how: 'said', phrase: plain(place.words)});
  }
  // What is drawn.
  if (DRAWN[task]) {
    for (const el of document.querySelectorAll(DRAWN[task])) {
      const place = places.find((place) => place.el === el);
      if (place?.shows) named.set(el, {...place, how: 'drawn'});
    }
  }
  // What ends the episode well, when it alone is clicked: tried on the same page made anew.
  const wins = [];
  const count = places.length;
  if (count < 160) {
    for (let at = 0; at < count; at++) {
      if (!places[at].shows) continue;
      Math.seedrandom(seed);
      core.startEpisodeReal();
      const el = all()[at];
      if (!el || el.localName !== places[at].tag) continue;
      WOB_REWARD_GLOBAL = 0; WOB_DONE_GLOBAL = false;
      for (const type of ['mousedown', 'mouseup', 'click'])
        el.dispatchEvent(new MouseEvent(type, {bubbles: true, cancelable: true, view: window}));
      if (WOB_DONE_GLOBAL && WOB_RAW_REWARD_GLOBAL > 0) wins.push(at);
    }
  }
  for (const at of wins) {
    const el = places[at].el;
    if (!wins.some((other) => other !== at && el.contains(places[other].el)) && !named.has(el)) named.set(el, {...places[at], how: 'click'});
  }
  const targets = [...named.values()].map(({box, words, tag, how, phrase}) => ({box, words, tag, how, phrase: phrase ?? null}));
  return {instruction, targets, typed};
})
