// SPDX-License-Identifier: MIT
// Keeps a copy of the live state from /api/v1/stream, and knows how good it is.
'use strict';

const STALE_MS = 20000;        // the server sends at least a heartbeat every 15 s
const BANNER_AFTER_MS = 2000;  // a shorter interruption is not worth a banner
const CLOCKS_APART_MS = 2000;  // then this machine's clock was set, or it slept

// Set by the page: something changed; the stream went from one status to another; who is logged in.
const listeners = { changed() {}, status() {}, person() {} };

// ---- State -------------------------------------------------------------------------------------

// Milliseconds that only grow: kiosks' clocks are set while the page is open. They stand still while the
// machine sleeps, which Date.now() shows.
const ownNow = () => performance.now();
const ownClock = () => Date.now() - ownNow();

const state = {
  pbx: new Map(), queue: new Map(), agent: new Map(), call: new Map(), counts: new Map(),
  endpoint: new Map(), trunk: new Map(), registration: new Map(), load: new Map(),
  loaded: false,
  offset: ownClock(), // server's clock minus ownNow(), ms; before the first snapshot this machine's
  clock: ownClock(),
  lastId: '',
  lastSeq: 0,
  pages: '',
};
const stream = { status: 'connecting', heard: 0, lostAt: 0, tries: 0, timer: 0, retryAt: 0, abort: null };

const keyOf = (o) => o.pbx + '\u0000' + o.subject;
const serverNow = () => ownNow() + state.offset;
// While nothing is heard, of all or of one PBX, the clock of what is shown stands still: nobody knows
// how it went on. With a PBX it is that PBX's clock, by which the times of its calls, queues and agents are.
function shownNow(pbx) {
  const now = stream.status === 'stale' ? stream.heard + state.offset : serverNow();
  const p = pbx === undefined ? undefined : state.pbx.get(pbx + '\u0000' + pbx);
  if (!p) return now;
  return (p.connected ? now : Math.min(now, Date.parse(p.last_event || p.since) || now)) + 1000 * p.clock_skew_seconds;
}

function takeSnapshot(all) {
  state.offset = Date.parse(all.now) - ownNow();
  for (const [map, list] of [['pbx', all.pbxs], ['queue', all.queues], ['agent', all.agents],
    ['call', all.calls], ['counts', all.counts], ['endpoint', all.endpoints], ['trunk', all.trunks],
    ['registration', all.registrations], ['load', all.load]]) {
    state[map].clear();
    for (const o of list) state[map].set(keyOf(o), o);
  }
  state.loaded = true;
}

function takeChange(kind, o) {
  if (!state[kind]) return;
  if (o.gone) state[kind].delete(keyOf(o));
  else state[kind].set(keyOf(o), o);
}

// ---- Stream ------------------------------------------------------------------------------------
// Not EventSource: it hides the heartbeats and gives up for good after one HTTP error.

function takeMessage(event, id, data) {
  if (event === 'reset') {
    state.lastId = '';
    return;
  }
  const seq = Number(id.slice(id.lastIndexOf('-') + 1));
  const body = JSON.parse(data);
  if (event === 'snapshot') takeSnapshot(body);
  else if (seq !== state.lastSeq + 1) throw new Error('a change is missing');
  else takeChange(event, body);
  state.lastId = id;
  state.lastSeq = seq;
  listeners.changed();
}

function parser() {
  let rest = '';
  let event = '', id = '', data = [];
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      if (line === '') {
        if (data.length) takeMessage(event, id, data.join('\n'));
        event = ''; id = ''; data = [];
      } else if (line.startsWith('data: ')) data.push(line.slice(6));
      else if (line.startsWith('event: ')) event = line.slice(7);
      else if (line.startsWith('id: ')) id = line.slice(4);
    }
  };
}

async function readStream(signal) {
  const headers = state.lastId ? { 'Last-Event-ID': state.lastId } : {};
  const answer = await fetch('api/v1/stream', { headers, signal, cache: 'no-store' });
  if (answer.status === 401) location.replace('login');
  if (!answer.ok) throw new Error('HTTP ' + answer.status);
  listeners.person(answer.headers.get('X-Amitap-Person') || '');
  const pages = answer.headers.get('X-Amitap-Pages') || '';
  if (state.pages && pages && pages !== state.pages) location.reload();
  state.pages = pages;
  const take = parser();
  const text = new TextDecoder();
  const reader = answer.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error('the stream ended');
    take(text.decode(value, { stream: true }));
    heard();
  }
}

async function connect() {
  clearTimeout(stream.timer);
  stream.retryAt = 0;
  stream.abort = new AbortController();
  const abort = stream.abort;
  const opening = setTimeout(() => abort.abort(), STALE_MS);
  stream.opening = opening;
  try {
    await readStream(abort.signal);
  } catch (error) {
    if (String(error.message).includes('missing') || error instanceof SyntaxError) state.lastId = '';
  }
  clearTimeout(opening);
  abort.abort();
  if (abort === stream.abort) lost();
}

function heard() {
  clearTimeout(stream.opening);
  stream.heard = ownNow();
  stream.tries = 0;
  stream.lostAt = 0;
  setStatus(state.loaded ? 'live' : 'connecting');
}

function lost() {
  if (!stream.lostAt) stream.lostAt = ownNow();
  const wait = Math.min(15000, 400 * 2 ** stream.tries) * (0.75 + Math.random() / 2);
  stream.tries++;
  stream.retryAt = ownNow() + wait;
  stream.timer = setTimeout(connect, wait);
  watch();
}

// A snapshot tells the server's time anew.
function watchClock() {
  if (Math.abs(ownClock() - state.clock) < CLOCKS_APART_MS) return;
  state.clock = ownClock();
  state.lastId = '';
  if (!stream.retryAt) stream.abort.abort();
}

// Runs every half second: a stream that is open but silent is as good as cut.
function watch() {
  const now = ownNow();
  watchClock();
  if (stream.heard && !stream.lostAt && now - stream.heard > STALE_MS) {
    stream.lostAt = now - BANNER_AFTER_MS;
    stream.abort.abort();
  }
  if (stream.lostAt) setStatus(now - stream.lostAt >= BANNER_AFTER_MS ? 'stale' : 'connecting');
}

function setStatus(status) {
  if (stream.status === status) return;
  const was = stream.status;
  stream.status = status;
  document.body.dataset.stream = status;
  listeners.status(status, was);
}

function retryNow() {
  if (!stream.retryAt || ownNow() < stream.heard + 300) return;
  stream.tries = 0;
  connect();
}
