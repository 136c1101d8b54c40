// SPDX-License-Identifier: MIT
// The wallboard: shows what stream.js keeps. All text from the PBX goes through textContent alone.
'use strict';

const RENDER_EVERY_MS = 100;
const CALLS_SHOWN = 60;
const CHIPS_SHOWN = 4;
const PBXS_SAID = 3; // that are gone, with a warning each
const PBXS_NAMED = 24; // in the one warning of more
const TEXT_SHOWN = 120; // characters of what strangers chose; nobody reads on
const LONG_NAME = 13; // letters that surely fit on a queue's line; longer names get two lower ones
const LEVEL_GOAL = levelGoal(); // service level in per cent; ?goal=90 changes it

function levelGoal() {
  const given = Number(new URLSearchParams(location.search).get('goal'));
  return given > 0 && given <= 100 ? given : 80;
}

const $ = (id) => document.getElementById(id);

// ---- Small helpers -----------------------------------------------------------------------------

function element(tag, className, text) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
}

function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  use.setAttribute('href', '#i-' + name);
  svg.append(use);
  return svg;
}

function setIcon(svg, name) {
  const use = svg.firstChild;
  if (use.getAttribute('href') !== '#i-' + name) use.setAttribute('href', '#i-' + name);
}

function setText(e, text) {
  if (e.textContent !== text) e.textContent = text;
}

// Text that came from outside, kept from reordering what stands around it.
const bdi = (text) => element('bdi', '', text);

// What strangers chose, cut, and nothing where nothing would be seen of it.
function shown(text) {
  if (!text || !/[^\p{C}\p{Z}\p{M}]/u.test(text)) return '';
  const letters = [...text.slice(0, 2 * TEXT_SHOWN + 2)];
  return letters.length > TEXT_SHOWN ? letters.slice(0, TEXT_SHOWN).join('') + '…' : text;
}

// Where no element can keep its direction in: in a title, or among others.
const isolate = (text) => (text ? '\u2068' + text + '\u2069' : '');
const isolated = (text) => isolate(shown(text));

const two = (n) => String(n).padStart(2, '0');

function clockText(ms, seconds) {
  const d = new Date(ms);
  return two(d.getHours()) + ':' + two(d.getMinutes()) + (seconds ? ':' + two(d.getSeconds()) : '');
}

function spanText(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const h = Math.floor(s / 3600);
  const m = Math.floor(s / 60) % 60;
  return h ? h + ':' + two(m) + ':' + two(s % 60) : m + ':' + two(s % 60);
}

function ageText(seconds) {
  if (seconds < 60) return Math.max(0, Math.floor(seconds)) + ' s';
  if (seconds < 3600) return Math.floor(seconds / 60) + ' min';
  return Math.floor(seconds / 3600) + ' h ' + Math.floor(seconds / 60) % 60 + ' min';
}

const secondsSince = (time, pbx) => (shownNow(pbx) - Date.parse(time)) / 1000;

// A <time> that ticks by itself, as long as its PBX is connected.
function ticking(e, since, pbx) {
  if (e.dataset.since !== since) e.dataset.since = since;
  if (e.dataset.pbx !== pbx) e.dataset.pbx = pbx;
  setText(e, spanText(secondsSince(since, pbx)));
}

function setLevel(e, level) {
  if (level) e.dataset.level = level;
  else delete e.dataset.level;
}

// What does not fit is shown smaller, in so many steps, since nobody scrolls a wall. n is how much
// there is: only when it is clearly less than what did not fit are things shown larger again.
function fit(e, n, steps) {
  const box = e.parentElement;
  const f = e.fit || (e.fit = { level: 0, n: 0, size: '', full: false });
  const size = box.clientWidth + 'x' + box.clientHeight;
  const apply = () => { e.dataset.fit = f.level; };
  if (size !== f.size || n < 0.7 * f.n) {
    f.level = 0;
    apply();
  }
  f.size = size;
  while (f.level < steps && box.scrollHeight > box.clientHeight + 2) {
    f.level++;
    f.n = n;
    apply();
  }
  f.full = box.scrollHeight > box.clientHeight + 2;
}

// Makes the container's children those of items, by key: what stays is kept, so that nothing
// flickers and a screen reader's place is not lost.
function keyed(container, items, key, create, update) {
  const nodes = container.nodes || (container.nodes = new Map());
  const wanted = new Set(items.map(key));
  for (const [k, node] of nodes) {
    if (wanted.has(k)) continue;
    node.remove();
    nodes.delete(k);
  }
  let at = container.querySelector(':scope > :not(thead)');
  for (const item of items) {
    const k = key(item);
    let node = nodes.get(k);
    if (!node) {
      node = create(item);
      nodes.set(k, node);
    }
    update(node, item);
    if (node === at) at = at.nextElementSibling;
    else container.insertBefore(node, at);
  }
}

let lastSaid = 0;
let said = '';
function announce(text) {
  const now = ownNow();
  if (text === said && now - lastSaid < 60000) return;
  lastSaid = now;
  said = text;
  $('announce').textContent = text;
}

// Says a threshold's crossing once, in words.
const crossed = new Map();
function threshold(name, level, worse, better) {
  const before = crossed.get(name);
  crossed.set(name, level);
  if (before === undefined || before === level) return;
  if (level === 'crit') announce(worse);
  else if (before === 'crit') announce(better);
}

// ---- Figures -----------------------------------------------------------------------------------

function isOld(o) {
  const pbx = state.pbx.get(o.pbx + '\u0000' + o.pbx);
  return pbx !== undefined && !pbx.connected;
}
const severalPbxs = () => state.pbx.size > 1;
const countsOf = (q) => state.counts.get(q.pbx + '\u0000queue/' + q.queue);

// What a service level is a share of. The share itself is a rounded one: 100 * 0.29 is less than 29.
const waitsOver = (c) => c.answered + c.abandoned + c.other;

function waitLevel(seconds, target) {
  if (!target) return '';
  return seconds > target ? 'crit' : seconds > target / 2 ? 'warn' : '';
}

function percentLevel(percent) {
  return percent >= LEVEL_GOAL ? 'ok' : percent >= LEVEL_GOAL - 10 ? 'warn' : 'crit';
}

function totals() {
  const t = { waiting: 0, oldest: null, within: 0, of: 0, targets: new Set(), offered: 0, answered: 0,
    abandoned: 0, callsAnswered: 0, callsUnanswered: 0, cdrs: 0 };
  for (const q of state.queue.values()) {
    t.waiting += q.waiting.length;
    for (const w of q.waiting) {
      const seconds = secondsSince(w.joined, q.pbx);
      if (!t.oldest || seconds > t.oldest.seconds)
        t.oldest = { seconds, queue: q.queue, target: q.service_level_seconds };
    }
  }
  for (const c of state.counts.values()) {
    if (c.queue === null) {
      t.callsAnswered += c.answered; t.callsUnanswered += c.unanswered;
      t.cdrs += c.cdrs;
      continue;
    }
    t.offered += c.offered; t.answered += c.answered; t.abandoned += c.abandoned;
    if (c.service_level === null) continue;
    t.within += c.within_service_level;
    t.of += waitsOver(c);
    t.targets.add(c.service_level_seconds);
  }
  return t;
}

const STATES = {
  available: ['free', 'Available'], ringing: ['bell', 'Ringing'], on_call: ['call', 'On call'],
  on_hold: ['hold', 'On hold'], wrap_up: ['wrap', 'Wrap-up'], paused: ['pause', 'Paused'], offline: ['off', 'Offline'],
};
const CALL_STATES = {
  dialling: ['dial', 'Dialling'], ringing: ['bell', 'Ringing'], queued: ['wait', 'Waiting'],
  answered: ['call', 'On call'], application: ['app', 'In a menu'],
};

// A queue member by the name it has there, else as the phone calls itself.
function partyName(pbx, p) {
  const agent = state.agent.get(pbx + '\u0000' + p.interface);
  return shown(agent && agent.agent) || shown(p.name) || shown(p.number) || shown(p.interface) || shown(p.channel) || 'unknown';
}

const callerName = (c) => shown(c.caller_name) || shown(c.caller_number) || 'Withheld number';

// ---- Tiles -------------------------------------------------------------------------------------

function tile(id, value, unit, sub, level, warns) {
  const e = $(id);
  const big = e.querySelector('[data-value]');
  if (big.dataset.shown !== value + unit) {
    big.dataset.shown = value + unit;
    big.textContent = value;
    big.style.setProperty('--letters', value.length - value.split(':').length / 2 + 0.5); // a colon is half as wide
    if (unit) big.append(element('span', 'unit', unit));
  }
  const line = e.querySelector('[data-sub]');
  const mark = warns ? 'alert' : '';
  if (line.dataset.shown !== mark + sub) {
    line.dataset.shown = mark + sub;
    line.textContent = sub || '\u00a0';
    if (mark) line.prepend(icon(mark));
  }
  setLevel(e, level);
}

function renderWaiting(t) {
  const queues = state.queue.size;
  if (!queues) {
    tile('tile-waiting', '–', '', 'no queues', '');
    tile('tile-longest', '–', '', '', '');
    return;
  }
  const busy = [...state.queue.values()].filter((q) => q.waiting.length).length;
  tile('tile-waiting', String(t.waiting), '',
    t.waiting ? 'in ' + busy + (busy === 1 ? ' queue' : ' queues') : 'no callers', '');
  if (!t.oldest) {
    tile('tile-longest', '–', '', 'nobody waits', '');
    threshold('wait', '', '', 'Nobody waits longer than the target any more.');
    return;
  }
  const { seconds } = t.oldest;
  const level = waitLevel(seconds, t.oldest.target);
  const over = level === 'crit';
  tile('tile-longest', spanText(seconds), '',
    over ? isolated(t.oldest.queue) + ' · over ' + t.oldest.target + ' s' : 'in ' + isolated(t.oldest.queue),
    level, over);
  threshold('wait', level, 'A caller waits longer than the target in ' + t.oldest.queue + '.',
    'Nobody waits longer than the target any more.');
}

function renderToday(t) {
  const queues = state.queue.size > 0 || t.offered > 0;
  const percent = t.of ? 100 * t.within / t.of : null;
  const level = percent === null ? '' : percentLevel(percent);
  const targets = [...t.targets];
  tile('tile-level', percent === null ? '–' : String(Math.floor(percent)), percent === null ? '' : '%',
    percent === null ? 'nothing offered yet'
      : (percent < LEVEL_GOAL ? 'below ' : 'goal ') + LEVEL_GOAL + ' %' +
        (targets.length === 1 ? ' in ' + targets[0] + ' s' : ' in target'),
    level, percent !== null && percent < LEVEL_GOAL);
  const arc = $('arc');
  arc.style.transition = state.rendered ? '' : 'none';
  arc.setAttribute('stroke-dasharray', (percent || 0) + ' 100');
  arc.classList.toggle('none', !percent);
  threshold('level', level, 'Service level fell below ' + (LEVEL_GOAL - 10) + ' per cent.',
    'Service level has recovered.');
  if (queues) {
    tile('tile-answered', String(t.answered), '', 'of ' + t.offered + ' offered', '');
    const rate = t.answered + t.abandoned ? 100 * t.abandoned / (t.answered + t.abandoned) : null;
    tile('tile-abandoned', String(t.abandoned), '',
      rate === null ? 'none offered yet' : rate.toFixed(1) + ' % of callers', '');
  } else {
    tile('tile-answered', String(t.callsAnswered), '', 'of ' + (t.callsAnswered + t.callsUnanswered) + ' calls', '');
    tile('tile-abandoned', String(t.callsUnanswered), '', 'calls not answered', '');
  }
}

// Who logged in with AgentLogin is one person with the queue member whose device that is.
function people() {
  const devices = new Set();
  for (const a of state.agent.values()) if (a.login !== 'agent' && a.device) devices.add(a.pbx + '\u0000' + a.device);
  return [...state.agent.values()]
    .filter((a) => a.login !== 'agent' || !devices.has(a.pbx + '\u0000' + a.interface));
}

function renderAgentTile(t) {
  const n = { available: 0, ringing: 0, on_call: 0, on_hold: 0, wrap_up: 0, paused: 0, offline: 0 };
  const agents = people();
  for (const a of agents) n[a.state] = (n[a.state] || 0) + 1;
  const busy = n.on_call + n.on_hold + n.ringing;
  const e = $('tile-agents');
  const none = agents.length === 0;
  setText(e.querySelector('[data-available]'), none ? '–' : String(n.available));
  setText(e.querySelector('[data-on-call]'), none ? '–' : String(busy));
  setText(e.querySelector('[data-paused]'), none ? '–' : String(n.paused));
  e.classList.toggle('wide-numbers', Math.max(n.available, busy, n.paused) > 99);
  const level = !none && n.available === 0 && t.waiting > 0 ? 'crit' : '';
  setLevel(e.querySelector('.s-available'), level);
  threshold('agents', level, 'Callers are waiting and no agent is available.',
    'An agent is available again.');
  const parts = [];
  if (n.ringing) parts.push(n.ringing + ' ringing');
  if (n.on_hold) parts.push(n.on_hold + ' on hold');
  if (n.wrap_up) parts.push(n.wrap_up + ' in wrap-up');
  if (n.offline) parts.push(n.offline + ' offline');
  setText($('agents-note'), none ? '' : [agents.length + ' in queues', ...parts].join(' · '));
}

// ---- Queues ------------------------------------------------------------------------------------

// A queue is a body of two rows: its figures, and who is waiting.
function createQueue() {
  const body = element('tbody', 'queue');
  const row = body.appendChild(element('tr'));
  const name = body.nameCell = row.appendChild(element('th', 'qname'));
  name.scope = 'row';
  body.nameText = name.appendChild(element('bdi'));
  body.tag = name.appendChild(element('span', 'tag'));
  body.figures = ['Waiting', 'Longest', 'Service level', 'Answered', 'Abandoned'].map((label) => {
    const cell = row.appendChild(element('td'));
    cell.dataset.label = label;
    return cell;
  });
  body.figures[0].append(body.count = element('span', 'waits'));
  body.figures[1].append(body.longest = element('time', 'waits'));
  body.figures[2].append(body.percent = element('span'), body.meter = element('span', 'meter'));
  body.meter.append(element('i'));
  body.below = [2, 3, 4].map((i) => {
    if (i > 2) body.figures[i].append(element('span'));
    return body.figures[i].appendChild(element('span', 'below'));
  });
  body.chips = body.appendChild(element('tr', 'waiting'));
  const cell = body.chips.appendChild(element('td'));
  cell.colSpan = 6;
  body.waiting = cell.appendChild(element('div', 'chips'));
  return body;
}

function renderChips(box, q) {
  const shown = q.waiting.slice(0, q.waiting.length > CHIPS_SHOWN ? CHIPS_SHOWN - 1 : CHIPS_SHOWN);
  const more = q.waiting.length - shown.length;
  keyed(box, more ? [...shown, { more }] : shown, (w) => (w.more ? 'more' : w.uniqueid), (w) => {
    const chip = element('span', w.more ? 'chip more' : 'chip');
    chip.name = chip.appendChild(element('bdi'));
    if (!w.more) chip.time = chip.appendChild(element('time'));
    return chip;
  }, (chip, w) => {
    if (w.more) return setText(chip.name, '+ ' + w.more + ' more');
    setText(chip.name, callerName(w));
    ticking(chip.time, w.joined, q.pbx);
    chip.dataset.target = q.service_level_seconds || '';
    chip.classList.toggle('late', waitLevel(secondsSince(w.joined, q.pbx), q.service_level_seconds) === 'crit');
    return undefined;
  });
}

function numberCell(cell, n) {
  setText(cell.firstChild, String(n));
  cell.classList.toggle('zero', n === 0);
}

function updateQueue(e, q) {
  const c = countsOf(q) || { answered: 0, abandoned: 0, service_level: null, average_wait_seconds: null };
  const n = q.waiting.length;
  const target = q.service_level_seconds;
  setText(e.nameText, shown(q.queue));
  e.nameCell.classList.toggle('long', q.queue.length > LONG_NAME);
  setText(e.tag, q.pbx);
  e.tag.hidden = !severalPbxs();
  e.classList.toggle('old', isOld(q));
  e.classList.toggle('idle', isIdle(q));
  renderChips(e.waiting, q);
  e.chips.hidden = n === 0;
  setText(e.count, String(n));
  e.count.classList.toggle('zero', n === 0);
  const oldest = n ? q.waiting.reduce((a, w) => (w.joined < a ? w.joined : a), q.waiting[0].joined) : '';
  if (oldest) ticking(e.longest, oldest, q.pbx);
  else {
    delete e.longest.dataset.since;
    setText(e.longest, '–');
  }
  e.longest.classList.toggle('zero', !oldest);
  e.longest.classList.toggle('long', e.longest.textContent.length > 5);
  setLevel(e.figures[1], oldest ? waitLevel(secondsSince(oldest, q.pbx), target) : '');
  const percent = c.service_level === null ? null : Math.floor(100 * c.within_service_level / waitsOver(c));
  setText(e.percent, percent === null ? '–' : percent + ' %');
  e.percent.classList.toggle('zero', percent === null);
  setLevel(e.figures[2], percent === null ? '' : percentLevel(percent));
  e.meter.firstChild.style.setProperty('--part', (percent || 0) + '%');
  setText(e.below[0], target ? 'in ' + target + ' s' : 'no target');
  numberCell(e.figures[3], c.answered);
  setText(e.below[1], c.average_wait_seconds === null ? '' : 'after ' + spanText(c.average_wait_seconds));
  numberCell(e.figures[4], c.abandoned);
  const ended = c.answered + c.abandoned;
  setText(e.below[2], ended ? (100 * c.abandoned / ended).toFixed(0) + ' %' : '');
}

// Nobody called it today: it stands below the others, in one line.
function isIdle(q) {
  const c = countsOf(q);
  return !q.waiting.length && !(c && c.offered);
}

// In their places as long as all of them are seen; else those first in which somebody waits.
function renderQueues() {
  const full = Boolean($('queues').fit && $('queues').fit.full);
  const isQuiet = (q) => full && !q.waiting.length;
  const list = [...state.queue.values()].sort((a, b) =>
    isQuiet(a) - isQuiet(b) || isIdle(a) - isIdle(b) || a.pbx.localeCompare(b.pbx) || a.queue.localeCompare(b.queue));
  keyed($('queues'), list, keyOf, createQueue, updateQueue);
  $('queues').hidden = !list.length;
  fit($('queues'), list.length + list.filter((q) => q.waiting.length).length, 3);
  empty('queues', list.length, 'This PBX has no queues. Its calls show on the right.');
  setText($('queues-note'), list.length ? list.length + (list.length === 1 ? ' queue' : ' queues') : '');
}

// ---- Agents ------------------------------------------------------------------------------------

// The calls that each interface rings for or talks in, the one talked in first.
function partners() {
  const map = new Map();
  const add = (c, p, talks) => {
    const key = c.pbx + '\u0000' + p.interface;
    const calls = (map.get(key) || []).filter((o) => o !== c);
    map.set(key, talks ? [c, ...calls] : [...calls, c]);
  };
  for (const c of state.call.values()) {
    for (const p of c.ringing || []) add(c, p, false);
    if (c.talking_with) add(c, c.talking_with, true);
  }
  return map;
}

function createAgent() {
  const e = element('li', 'agent');
  e.icon = e.appendChild(icon('free'));
  e.nameText = e.appendChild(element('bdi', 'name'));
  const what = e.appendChild(element('span', 'what'));
  e.stateText = what.appendChild(element('b'));
  e.whom = what.appendChild(element('bdi', 'whom'));
  e.more = what.appendChild(element('span', 'more'));
  e.time = what.appendChild(element('time'));
  return e;
}

function updateAgent(e, a) {
  const [mark, word] = STATES[a.state] || ['off', a.state];
  e.className = 'agent s-' + a.state + (isOld(a) ? ' old' : '');
  setIcon(e.icon, mark);
  setText(e.nameText, shown(a.agent) || shown(a.interface));
  setText(e.stateText, word);
  const call = ['on_call', 'on_hold', 'ringing'].includes(a.state) ? a.call : null;
  setText(e.whom, call ? callerName(call) : a.state === 'paused' ? shown(a.reason) : '');
  e.stateText.classList.toggle('with', Boolean(e.whom.textContent));
  setText(e.more, call && a.calls > 1 ? '+' + (a.calls - 1) : '');
  e.more.hidden = !e.more.textContent;
  e.title = [isolated(a.agent), isolated(a.interface), word, a.members ? a.members.map((m) => isolated(m.queue)).join(', ') : '']
    .filter(Boolean).join(' · ');
  if (a.since) ticking(e.time, a.since, a.pbx);
}

function renderAgents() {
  const partner = partners();
  const list = people().sort((a, b) =>
    (a.state === 'offline') - (b.state === 'offline') ||
    (a.agent || a.interface).localeCompare(b.agent || b.interface));
  for (const a of list) {
    const calls = partner.get(a.pbx + '\u0000' + a.interface) ||
      [...state.call.values()].filter((c) => a.linkedid && c.linkedid === a.linkedid).slice(0, 1);
    a.call = calls[0];
    a.calls = calls.length;
  }
  keyed($('agents'), list, keyOf, createAgent, updateAgent);
  fit($('agents'), list.length, 4);
  empty('agents', list.length, 'Nobody is logged in to a queue.');
}

// ---- Calls -------------------------------------------------------------------------------------

function createCall() {
  const e = element('li', 'call');
  const mark = e.appendChild(element('span', 'mark'));
  e.icon = mark.appendChild(icon('call'));
  const who = e.appendChild(element('span', 'who'));
  e.nameText = who.appendChild(element('bdi'));
  e.number = who.appendChild(element('small')).appendChild(element('bdi'));
  e.time = e.appendChild(element('time'));
  e.what = e.appendChild(element('span', 'what'));
  // Comes in with a movement, once: being put elsewhere in the list would start it again.
  e.fresh = state.rendered;
  setTimeout(() => {
    e.fresh = false;
    e.classList.remove('fresh');
  }, 600);
  return e;
}

// A call that waits in a queue while members' phones ring shows as ringing: that is what can be
// answered now.
function faceOf(c) {
  return c.state === 'queued' && c.ringing && c.ringing.length ? 'ringing' : c.state;
}

// What happens to the call, in words: [word, text, who, text, ...], who being text of the PBX.
function story(c) {
  const to = c.dialled ? [' to ', shown(c.dialled)] : [];
  const queue = c.queue ? [' · ', shown(c.queue)] : [];
  if (faceOf(c) === 'ringing' && c.ringing && c.ringing.length) {
    const who = c.ringing.slice(0, 3).map((p) => isolate(partyName(c.pbx, p))).join(', ');
    const more = c.ringing.length > 3 ? ' +' + (c.ringing.length - 3) : '';
    return [' ', who + more, ...queue, ...to];
  }
  if (c.state === 'queued') return [' in ', shown(c.queue) || 'a queue', ...to];
  if (c.state === 'answered' && c.talking_with) return [' with ', partyName(c.pbx, c.talking_with), ...queue];
  return [...to, ...queue];
}

function updateCall(e, c) {
  const face = faceOf(c);
  const [mark, word] = CALL_STATES[face] || ['call', face];
  e.className = 'call s-' + face + (e.fresh ? ' fresh' : '') + (isOld(c) ? ' old' : '');
  e.dataset.subject = c.subject;
  setIcon(e.icon, mark);
  setText(e.nameText, callerName(c));
  setText(e.number, shown(c.caller_name) && shown(c.caller_number));
  if (c.start) ticking(e.time, c.start, c.pbx);
  const parts = story(c);
  const told = word + parts.join('|');
  if (e.what.dataset.shown === told) return;
  e.what.dataset.shown = told;
  e.title = [isolated(callerName(c)), isolated(c.caller_number), word + parts.map((text, i) => (i % 2 ? isolate(text) : text)).join('')].filter(Boolean).join(' · ');
  e.what.replaceChildren(element('b', '', word),
    ...parts.map((text, i) => (i % 2 ? Object.assign(bdi(text), { className: 'to' }) : text)));
}

const CALL_ORDER = { ringing: 0, queued: 1, dialling: 2, application: 3, answered: 4 };

function renderCalls(t) {
  const all = [...state.call.values()].sort((a, b) =>
    CALL_ORDER[faceOf(a)] - CALL_ORDER[faceOf(b)] || (a.start < b.start ? 1 : -1));
  keyed($('calls'), all.slice(0, CALLS_SHOWN), keyOf, createCall, updateCall);
  fit($('calls'), Math.min(all.length, CALLS_SHOWN), 2);
  const more = all.length - CALLS_SHOWN;
  empty('calls', all.length && more <= 0 ? 1 : 0,
    more > 0 ? 'and ' + more + ' more' : 'No calls right now.');
  setText($('calls-note'), all.length + ' now · ' + (all.length + t.callsAnswered + t.callsUnanswered) + ' today');
  $('calls-note').title = t.callsAnswered + ' answered, ' + t.callsUnanswered + ' not; ' + t.cdrs + ' CDRs';
}

function empty(name, n, text) {
  const e = $(name + '-empty');
  e.hidden = n > 0;
  setText(e, state.loaded ? text : 'Waiting for the first figures…');
}

// ---- Head and banners --------------------------------------------------------------------------

function createPbx() {
  const e = element('li', 'pbx');
  e.icon = e.appendChild(icon('free'));
  e.nameText = e.appendChild(element('bdi', 'name'));
  e.age = e.appendChild(element('span', 'age'));
  return e;
}

function updatePbx(e, p) {
  const age = p.last_event ? ageText(secondsSince(p.last_event)) : '';
  e.className = 'pbx' + (p.connected ? (p.gaps ? ' gap' : '') : ' down');
  setIcon(e.icon, p.connected ? (p.gaps ? 'alert' : 'free') : 'alert');
  setText(e.nameText, p.pbx);
  setText(e.age, p.connected ? (age ? 'data ' + age + ' old' : 'connected')
    : age ? 'not connected · data ' + age + ' old' : 'not connected');
  e.title = [isolated(p.version), isolated(p.reason), p.gaps ? p.gaps + ' gaps today' : ''].filter(Boolean).join(' · ');
}

const reasonOf = (p) => isolated(p.reason.replace('pbx ' + p.pbx + ': ', ''));

function pbxBanner(p) {
  return { key: 'pbx' + p.pbx, level: 'crit', title: 'PBX ' + p.pbx + ' is not connected.',
    text: (p.since ? 'Since ' + clockText(Date.parse(p.since), true) : 'Not yet') +
      (p.reason ? ': ' + reasonOf(p) : '') + '. ' +
      (p.last_event ? 'Its figures are ' + ageText(secondsSince(p.last_event)) + ' old.' : '') };
}

// One each while they are few; many would leave no room for the figures of the others.
function pbxBanners() {
  const gone = [...state.pbx.values()].filter((p) => !p.connected);
  if (gone.length <= PBXS_SAID) return gone.map(pbxBanner);
  const names = gone.map((p) => p.pbx).sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
  const more = names.length - PBXS_NAMED;
  return [{ key: 'pbxs', level: 'crit', title: gone.length + ' PBXs are not connected.',
    text: names.slice(0, PBXS_NAMED).map(isolated).join(', ') + (more > 0 ? ' +' + more : '') }];
}

function banners() {
  const list = [];
  const now = ownNow();
  if (stream.status === 'stale') {
    const wait = Math.max(0, Math.ceil((stream.retryAt - now) / 1000));
    list.push({ key: 'stream', level: 'crit', title: 'Not live.',
      text: (state.loaded ? 'These figures are from ' + clockText(stream.heard + state.offset, true) + ', ' +
        ageText((now - stream.heard) / 1000) + ' ago. ' : 'No answer from amitap yet. ') +
        (wait ? 'Next try in ' + wait + ' s.' : 'Trying again…') });
  }
  list.push(...pbxBanners());
  const [first] = state.pbx.values();
  if (first && (first.lost_updates || first.dropped))
    list.push({ key: 'lost', level: 'warn', title: 'Some changes could not be shown.',
      text: (first.dropped ? 'What is shown' : 'Today’s figures') + ' may be off: ' + (first.lost_updates + first.dropped) + ' lost.' });
  return list;
}

function renderHead() {
  const list = [...state.pbx.values()].sort((a, b) => a.pbx.localeCompare(b.pbx));
  keyed($('pbxs'), list, keyOf, createPbx, updatePbx);
  keyed($('banners'), banners(), (b) => b.key, (b) => {
    const e = element('p', 'banner ' + b.level);
    e.append(icon('alert'));
    e.titleText = e.appendChild(element('b'));
    e.text = e.appendChild(element('span'));
    return e;
  }, (e, b) => {
    setText(e.titleText, b.title);
    setText(e.text, b.text);
  });
  setText($('badge-text'), { live: 'Live', connecting: state.loaded ? 'Reconnecting' : 'Connecting', stale: 'Not live' }[stream.status]);
  const down = list.length > 0 && list.every((p) => !p.connected);
  threshold('pbx', list.some((p) => !p.connected) ? 'crit' : '', 'A PBX is not connected.', 'All PBXs are connected again.');
  document.querySelector('.tiles').classList.toggle('old', down);
  setText($('clock'), clockText(serverNow(), true));
}

// ---- Rendering ---------------------------------------------------------------------------------

let renderTimer = 0;
let renderedAt = 0;

function scheduleRender() {
  if (renderTimer) return;
  const wait = Math.max(0, renderedAt + RENDER_EVERY_MS - ownNow());
  renderTimer = setTimeout(render, wait);
}

function render() {
  renderTimer = 0;
  renderedAt = ownNow();
  const t = totals();
  renderHead();
  if (!state.loaded) return;
  renderWaiting(t);
  renderToday(t);
  renderAgentTile(t);
  renderLines();
  renderQueues();
  renderAgents();
  renderCalls(t);
  state.rendered = true;
}

function tick() {
  setTimeout(tick, 500 - serverNow() % 500);
  watch();
  renderHead();
  if (state.loaded && stream.status !== 'stale') {
    renderWaiting(totals());
    renderQueues();
    for (const e of document.querySelectorAll('.agents time[data-since], .calls time[data-since]'))
      setText(e, spanText(secondsSince(e.dataset.since, e.dataset.pbx)));
  }
}

// ---- Tools -------------------------------------------------------------------------------------

const THEMES = ['', 'light', 'dark'];

function stored(value) {
  try {
    if (value === undefined) return localStorage.getItem('theme') || '';
    localStorage.setItem('theme', value);
  } catch { /* a browser that keeps nothing: the choice lasts as long as the page */ }
  return value || '';
}

function showPerson(name) {
  $('out').hidden = !name;
  $('out').title = 'Log out ' + name;
}

async function logOut() {
  await fetch('logout', { method: 'POST', redirect: 'manual' }).catch(() => {});
  location.replace('login');
}

function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  setText($('theme-name'), theme || 'automatic');
}

let wakeLock = null;
async function keepAwake() {
  try {
    if (document.fullscreenElement && document.visibilityState === 'visible')
      wakeLock = await navigator.wakeLock.request('screen');
    else if (wakeLock) { await wakeLock.release(); wakeLock = null; }
  } catch { /* not every browser can */ }
}

function toggleFull() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen().catch(() => {});
}

function sayStatus(status, was) {
  if (status === 'stale') announce('Connection lost. The figures shown are old.');
  if (status === 'live' && was === 'stale') announce('Connection restored.');
  scheduleRender();
}

function start() {
  listeners.changed = scheduleRender;
  listeners.status = sayStatus;
  listeners.person = showPerson;
  const title = new URLSearchParams(location.search).get('title');
  if (title) {
    setText($('title'), title);
    document.title = title + ' – amitap';
  }
  setTheme(THEMES.includes(stored()) ? stored() : '');
  $('theme').addEventListener('click', () => {
    const next = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme || '') + 1) % THEMES.length];
    stored(next);
    setTheme(next);
  });
  $('full').addEventListener('click', toggleFull);
  $('out').addEventListener('click', logOut);
  document.addEventListener('keydown', (e) => {
    if (e.key === 'f' && !e.ctrlKey && !e.metaKey && !e.altKey) toggleFull();
  });
  document.addEventListener('fullscreenchange', keepAwake);
  document.addEventListener('visibilitychange', () => { keepAwake(); retryNow(); });
  addEventListener('online', retryNow);
  connect();
  tick();
}

start();
