// SPDX-License-Identifier: MIT
// The wallboard as a browser shows it: what rings is there within a second, the figures are those of
// /api/v1/state, hostile names are text, and what is no longer true says so.
'use strict';
const assert = require('assert');
const fs = require('fs');
const path = require('path');
const { play, test } = require('./play.js');
const { SHOTS, Program, Proxy, firstSent, fresh, freePort, launch, replaced, sleep, until } = require('./stage.js');

const OUT = 'build/browser/run';
const HOSTILE = '<img src=x onerror=document.title=1>';
const LOG = path.join(OUT, 'sent.log');
const stage = {};

// What the page itself notes: when each call was first seen ringing.
function watchRinging() {
  window.rang = {};
  new MutationObserver(() => {
    for (const e of document.querySelectorAll('.call.s-ringing'))
      if (!(e.dataset.subject in window.rang)) window.rang[e.dataset.subject] = Date.now();
  }).observe(document, { subtree: true, childList: true, attributes: true });
}

function startPbx(port, log) {
  const captures = (name) => path.join('tests/captures', name);
  return new Program('build/amisim', ['--port', String(port), '--loop', '0', '--copies', '3', '--together',
    '--caller-names', '--all-queues', '--log-sent', log,
    replaced(captures('answered'), path.join(OUT, 'hostile'), [['Caller 0101', HOSTILE]]),
    captures('ring-group'), captures('queue-answered'), captures('queue-abandon'),
    captures('cancelled-by-caller'), captures('hold-and-resume'), captures('queue-members')]);
}

function startTap() {
  return new Program('build/amitap', ['run', '-c', stage.config]);
}

async function open() {
  fresh(OUT);
  stage.amiPort = await freePort();
  stage.webPort = await freePort();
  stage.config = path.join(OUT, 'amitap.conf');
  fs.writeFileSync(path.join(OUT, 'secret'), 'tapsecret\n');
  fs.writeFileSync(stage.config, `pbx main {
  host = 127.0.0.1
  port = ${stage.amiPort}
  user = tap
  secret_file = "${path.resolve(OUT, 'secret')}"
  trunks = { "PJSIP/carrier" }
}
store { path = "${path.resolve(OUT, 'amitap.db')}" }
web { listen = "127.0.0.1:${stage.webPort}" }
`);
  stage.pbx = startPbx(stage.amiPort, LOG);
  await stage.pbx.says(/listening on/);
  stage.tap = startTap();
  await stage.tap.says(/following events/);
  stage.proxy = new Proxy(stage.webPort);
  stage.url = 'http://127.0.0.1:' + await stage.proxy.listen() + '/';
  stage.browser = await launch();
  stage.page = await stage.browser.newPage({ viewport: { width: 1600, height: 900 }, colorScheme: 'dark' });
  stage.errors = [];
  stage.page.on('console', (m) => m.type() === 'error' && stage.errors.push(m.text()));
  stage.page.on('pageerror', (e) => stage.errors.push(e.message));
  stage.page.on('request', (r) => r.url().startsWith(stage.url) || stage.errors.push('asked for ' + r.url()));
  await stage.page.addInitScript(watchRinging);
  await stage.page.goto(stage.url);
}

const status = () => stage.page.evaluate(() => document.body.dataset.stream);
const shoot = (name) => stage.page.screenshot({ path: path.join(SHOTS, name + '.png') });

test('the page is live', () => until('live', async () => await status() === 'live'));

test('a ringing call shows within a second of its event', async () => {
  const begin = Date.now();
  await sleep(15000);
  const end = Date.now() - 2000;
  const rang = await stage.page.evaluate(() => window.rang);
  const late = [], missing = [];
  for (const [linkedid, sent] of firstSent(LOG, 'DialBegin')) {
    if (sent < begin || sent > end) continue;
    if (rang[linkedid] === undefined) missing.push(linkedid);
    else late.push(rang[linkedid] - sent);
  }
  late.sort((a, b) => a - b);
  const worst = late[late.length - 1];
  console.log('      %d calls: median %s ms, worst %s ms', late.length,
    late[late.length >> 1].toFixed(0), worst.toFixed(0));
  assert(late.length >= 5, 'too few calls rang: ' + late.length);
  assert.deepStrictEqual(missing, []);
  assert(worst < 1000, 'shown after ' + worst + ' ms');
});

test('a hostile name is text', async () => {
  const call = stage.page.locator('.call', { hasText: HOSTILE });
  await call.first().waitFor({ timeout: 30000 });
  assert.strictEqual(await stage.page.locator('img').count(), 0);
  assert.strictEqual(await stage.page.title(), 'Wallboard – amitap');
});

// The page's figures beside those of the API, in one moment: when the page has drawn the change that
// the API's answer ends with, and no further one. Null when it went past that.
const figures = () => stage.page.evaluate(async () => {
  const all = await (await fetch('api/v1/state')).json();
  const moment = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  /* global state, renderTimer: the page's own */
  for (let i = 0; i < 200 && (state.lastSeq < all.seq || renderTimer); i++) await moment(1);
  if (state.lastSeq !== all.seq || renderTimer) return null;
  const text = (selector) => document.querySelector(selector).textContent;
  const queues = all.counts.filter((c) => c.queue !== null);
  const sum = (list, of) => list.reduce((n, c) => n + of(c), 0);
  const within = queues.filter((c) => c.service_level !== null);
  const of = sum(within, (c) => c.answered + c.abandoned + c.other);
  const agents = (...states) => String(all.agents.filter((a) => states.includes(a.state)).length);
  return {
    expected: {
      waiting: String(sum(all.queues, (q) => q.waiting.length)),
      answered: String(sum(queues, (c) => c.answered)),
      abandoned: String(sum(queues, (c) => c.abandoned)),
      level: of ? Math.floor(100 * sum(within, (c) => c.within_service_level) / of) + '%' : '–',
      available: agents('available'), onCall: agents('on_call', 'on_hold', 'ringing'),
      paused: agents('paused'),
      calls: all.calls.map((c) => c.subject).sort(),
      queues: all.queues.map((q) => q.queue).sort(),
      agents: all.agents.length,
    },
    shown: {
      waiting: text('#tile-waiting [data-value]'),
      answered: text('#tile-answered [data-value]'),
      abandoned: text('#tile-abandoned [data-value]'),
      level: text('#tile-level [data-value]'),
      available: text('[data-available]'), onCall: text('[data-on-call]'), paused: text('[data-paused]'),
      calls: [...document.querySelectorAll('.call')].map((e) => e.dataset.subject).sort(),
      queues: [...document.querySelectorAll('.qname bdi')].map((e) => e.textContent).sort(),
      agents: document.querySelectorAll('.agent').length,
    },
  };
});

test('the figures are those of /api/v1/state', async () => {
  for (let i = 0; i < 5; i++) {
    const { shown, expected } = await until('the same moment', figures);
    assert.deepStrictEqual(shown, expected);
    assert(Number(shown.answered) > 0, 'nothing was answered');
  }
});

test('a service level is cut to whole per cent, not below', async () => {
  for (const within of [29, 57, 58, 100]) {
    const shown = await stage.page.evaluate((n) => {
      const counts = { pbx: 'x', subject: 'queue/q', queue: 'q', offered: 100, answered: 100, abandoned: 0, other: 0,
        within_service_level: n, service_level: n / 100, average_wait_seconds: 1 };
      state.counts.set(keyOf(counts), counts);
      const row = createQueue();
      updateQueue(row, { pbx: 'x', queue: 'q', waiting: [], service_level_seconds: 20 });
      state.counts.delete(keyOf(counts));
      return row.percent.textContent;
    }, within);
    assert.strictEqual(shown, within + ' %');
  }
});

test('the trunk shows its calls, and phones that cannot be reached are named', async () => {
  const { shown, expected } = await until('the same moment', () => stage.page.evaluate(async () => {
    const all = await (await fetch('api/v1/state')).json();
    for (let i = 0; i < 200 && (state.lastSeq < all.seq || renderTimer); i++) await new Promise((done) => setTimeout(done, 1));
    if (state.lastSeq !== all.seq || renderTimer) return null;
    const [trunk] = all.trunks;
    const away = all.endpoints.filter((e) => e.state === 'UNAVAILABLE').length;
    const lines = [...document.querySelectorAll('.line')].map((e) => e.innerText.replace(/\s+/g, ' '));
    return { expected: [trunk.trunk, trunk.calls + (trunk.calls === 1 ? ' call' : ' calls'), away > 0],
      shown: ['PJSIP/' + lines[0].split(' ')[0], lines[0].split(' ').slice(1, 3).join(' '),
        lines.some((line) => line.includes('not reachable'))] };
  }));
  assert.deepStrictEqual(shown, expected);
});

test('every call of the list says who calls whom', async () => {
  await stage.page.locator('.call.s-ringing').first().waitFor({ timeout: 20000 });
  const text = await stage.page.locator('.call.s-ringing').first().innerText();
  assert.match(text, /Ringing \S+/);
});

test('it looks as it should (screenshots are kept)', async () => {
  await until('a call rings and one waits', () => stage.page.evaluate(() =>
    document.querySelector('.call.s-ringing') && document.querySelectorAll('.call').length > 3), 20000);
  await shoot('wallboard');
  await stage.page.emulateMedia({ colorScheme: 'light' });
  await shoot('wallboard-light');
  await stage.page.emulateMedia({ colorScheme: 'dark' });
});

// In the page: the tiles that would be cut by the figures of a bad day.
function cutTiles(longest) {
  document.querySelectorAll('.split dd').forEach((e) => { e.textContent = '88'; });
  const values = { longest, level: '100', answered: '8888', abandoned: '888' };
  for (const [name, value] of Object.entries(values)) window.tile('tile-' + name, value, name === 'level' ? '%' : '', '', '');
  return [...document.querySelectorAll('.tile')]
    .filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.id + ' ' + e.scrollWidth + ' in ' + e.clientWidth);
}

test('nothing sticks out of a small screen, a TV or a phone', async () => {
  for (const [width, height] of [[1280, 720], [1920, 1080], [3840, 2160], [390, 844], [375, 667], [320, 568]]) {
    await stage.page.setViewportSize({ width, height });
    await sleep(400);
    for (const longest of ['18:28', '1:08:28'])
      assert.deepStrictEqual(await stage.page.evaluate(cutTiles, longest), [], `cut on ${width}`);
    if (width >= 375) {
      const [clock, tools] = await stage.page.evaluate(() => ['.clock', '.tools']
        .map((s) => document.querySelector(s).getBoundingClientRect().right));
      assert(tools >= clock, `the buttons are below the clock on ${width}`);
    }
    const size = await stage.page.evaluate(() => [document.documentElement.scrollWidth,
      document.documentElement.scrollHeight]);
    assert(size[0] <= width, `${size[0]} wide on ${width}`);
    if (width > height) assert(size[1] <= height, `${size[1]} high on ${height}`);
    if (width === 390) await shoot('wallboard-phone');
  }
  await stage.page.setViewportSize({ width: 1600, height: 900 });
});

// In the page: what warnings take of it when so many PBXs are gone, and what they say.
function loseMany(n) {
  const all = new Map(state.pbx);
  for (let i = 0; i < n; i++) {
    const pbx = { pbx: 'site' + i, subject: 'site' + i, connected: false, reason: 'connection refused', since: '2026-01-01T00:00:00Z',
      last_event: null, clock_skew_seconds: null, version: null, gaps: 0, lost_updates: 0, dropped: 0 };
    state.pbx.set(keyOf(pbx), pbx);
  }
  renderHead();
  const box = document.querySelector('.banners');
  const seen = [box.offsetHeight / innerHeight, box.textContent];
  state.pbx = all;
  renderHead();
  return seen;
}

test('many PBXs that are gone leave room for the figures', async () => {
  const [part, text] = await stage.page.evaluate(loseMany, 20);
  assert(part < 0.25, `warnings take ${part} of the screen`);
  assert(text.includes('20 PBXs are not connected') && text.includes('site19'), text);
});

// In the page: of many queues, those that are on the screen, when callers wait in the last one only.
function showMany(n) {
  const [queues, counts] = [new Map(state.queue), new Map(state.counts)];
  state.queue.clear();
  for (let i = 0; i < n; i++) {
    const queue = { pbx: 'main', subject: 'q' + i, queue: 'q' + String(i).padStart(2, '0'), service_level_seconds: 20,
      waiting: i === n - 1 ? [{ uniqueid: '1', joined: new Date().toISOString() }] : [] };
    state.queue.set(keyOf(queue), queue);
    state.counts.set('main\u0000queue/' + queue.queue, { queue: queue.queue, offered: 1, answered: 1, abandoned: 0, other: 0,
      within_service_level: 1, service_level: 1, average_wait_seconds: 1 });
  }
  renderQueues();
  renderQueues();
  const box = document.querySelector('.queues .scroll').getBoundingClientRect();
  const seen = [...document.querySelectorAll('.queue')].filter((e) => e.getBoundingClientRect().bottom <= box.bottom)
    .map((e) => e.querySelector('.qname bdi').textContent);
  Object.assign(state, { queue: queues, counts });
  renderQueues();
  return seen;
}

test('of more queues than fit those in which somebody waits are seen', async () => {
  assert.deepStrictEqual((await stage.page.evaluate(showMany, 40)).slice(0, 3), ['q39', 'q00', 'q01']);
  assert.deepStrictEqual((await stage.page.evaluate(showMany, 5)), ['q00', 'q01', 'q02', 'q03', 'q04']);
});

test('nothing moves for those who ask for that', async () => {
  await stage.page.emulateMedia({ reducedMotion: 'reduce' });
  await stage.page.locator('.call.s-ringing').first().waitFor({ timeout: 20000 });
  assert.strictEqual(await stage.page.evaluate(() =>
    getComputedStyle(document.querySelector('.badge .dot')).animationName), 'none');
  await stage.page.emulateMedia({ reducedMotion: null });
});

test('the theme can be chosen and stays', async () => {
  const background = () => stage.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const dark = await background();
  await stage.page.locator('#theme').click();
  assert.notStrictEqual(await background(), dark);
  await stage.page.reload();
  assert.notStrictEqual(await background(), dark);
  await stage.page.locator('#theme').click();
  await stage.page.locator('#theme').click();
  assert.strictEqual(await background(), dark);
});

test('nothing was complained of', () => {
  assert.deepStrictEqual(stage.errors, []);
});

test('a cut stream goes on where it was', async () => {
  await until('live', async () => await status() === 'live');
  const before = stage.proxy.streams.length;
  stage.proxy.cut();
  await until('another stream', () => stage.proxy.streams.length > before);
  await until('live again', async () => await status() === 'live', 5000);
  const { head, answer } = stage.proxy.streams[before];
  assert.match(head, /Last-Event-ID: \w+-\d+/i);
  await until('a change', () => /event: (call|queue|agent|counts|pbx)/.test(answer + stage.proxy.streams[before].answer));
  assert.doesNotMatch(stage.proxy.streams[before].answer, /event: (snapshot|reset)/);
  assert.strictEqual(await stage.page.locator('.banner').count(), 0);
});

test('a PBX that is gone is shown', async () => {
  await stage.pbx.stop();
  const banner = stage.page.locator('.banner', { hasText: 'PBX main is not connected' });
  await banner.waitFor({ timeout: 10000 });
  await stage.page.locator('.queue.old').first().waitFor();
  await stage.page.locator('#announce', { hasText: 'A PBX is not connected.' }).waitFor({ state: 'attached', timeout: 3000 });
  await shoot('wallboard-pbx-gone');
  const health = await fetch(`http://127.0.0.1:${stage.webPort}/healthz`);
  assert.strictEqual(health.status, 503);
  stage.pbx = startPbx(stage.amiPort, LOG + '-2');
  await banner.waitFor({ state: 'detached', timeout: 60000 });
});

test('figures are shown to be old when amitap is stopped', async () => {
  const code = await stage.tap.stop();
  const banner = stage.page.locator('.banner', { hasText: 'Not live.' });
  await banner.waitFor({ timeout: 6000 });
  assert.strictEqual(await status(), 'stale');
  assert.match(await banner.innerText(), /These figures are from \d\d:\d\d:\d\d/);
  await shoot('wallboard-stale');
  assert.strictEqual(code, 0, stage.tap.said);
});

test('the page comes back by itself', async () => {
  stage.tap = startTap();
  await until('live', async () => await status() === 'live', 40000);
  await stage.page.locator('.banner').first().waitFor({ state: 'detached', timeout: 20000 });
  const { expected, shown } = await until('the same moment', figures);
  assert.deepStrictEqual(shown, expected);
});

play(stage, open, (failed) => shoot('failed-' + failed));
