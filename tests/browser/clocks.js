// SPDX-License-Identifier: MIT
// The page's clocks, without a browser: stream.js in a world whose time passes when it is told to.
'use strict';
const assert = require('assert');
const fs = require('fs');
const path = require('path');
const vm = require('vm');
const { play, test } = require('./play.js');

const SOURCE = path.join(__dirname, '../../web/pages/stream.js');
const START = Date.parse('2026-11-21T10:00:00Z');
const HOUR = 3600000;
const iso = (ms) => new Date(ms).toISOString();
const settle = () => new Promise((resolve) => setImmediate(resolve));

// A browser whose clock is wall, which can be set, while mono only grows; a server that sends what it is told to.
class World {
  constructor() {
    const world = this;
    Object.assign(this, { wall: START, mono: 5000, server: START, timers: new Map(), streams: [], statuses: [] });
    class WorldDate extends Date {
      static now() { return world.wall; }
    }
    const context = vm.createContext({
      Date: WorldDate, performance: { now: () => this.mono }, TextDecoder, AbortController,
      document: { body: { dataset: {} } }, location: { replace() {}, reload() {} },
      setTimeout: (run, ms) => { this.timers.set(this.timers.size + 1, { run, at: this.mono + ms }); return this.timers.size; },
      clearTimeout: (id) => { if (this.timers.has(id)) this.timers.get(id).run = null; },
      fetch: async (url, options) => this.open(options),
    });
    this.page = vm.runInContext(fs.readFileSync(SOURCE, 'utf8') +
      ';({ state, stream, listeners, connect, watch, serverNow, shownNow })', context);
    this.page.listeners.status = (status) => this.statuses.push(status);
  }

  open({ headers, signal }) {
    const stream = { resumes: headers['Last-Event-ID'] || '', waits: null, said: [] };
    this.streams.push(stream);
    signal.addEventListener('abort', () => stream.waits && stream.waits.reject(new Error('aborted')));
    const read = () => new Promise((resolve, reject) => {
      if (stream.said.length) resolve(stream.said.shift());
      else stream.waits = { resolve, reject };
    });
    return { status: 200, ok: true, headers: { get: () => '' }, body: { getReader: () => ({ read }) } };
  }

  // The newest stream gets this.
  async say(text) {
    const stream = this.streams[this.streams.length - 1];
    const chunk = { done: false, value: new TextEncoder().encode(text) };
    if (stream.waits) stream.waits.resolve(chunk);
    else stream.said.push(chunk);
    stream.waits = null;
    await settle();
  }

  snapshot(...pbxs) {
    const all = { now: iso(this.server), pbxs };
    for (const list of ['queues', 'agents', 'calls', 'endpoints', 'trunks', 'registrations', 'load', 'counts']) all[list] = [];
    return this.say('id: boot-5\nevent: snapshot\ndata: ' + JSON.stringify(all) + '\n\n');
  }

  // Time goes on everywhere, and the page looks at it each half second.
  async pass(ms) {
    for (const end = this.mono + ms; this.mono < end;) {
      for (const clock of ['wall', 'mono', 'server']) this[clock] += 100;
      for (const timer of this.timers.values()) {
        const { run } = timer;
        if (!run || timer.at > this.mono) continue;
        timer.run = null;
        run();
      }
      if (this.mono % 500 === 0) this.page.watch();
      await settle();
    }
  }

  // By how many ms the page is wrong about the server's time.
  wrong() {
    return Math.abs(this.page.serverNow() - this.server);
  }
}

async function live(...pbxs) {
  const world = new World();
  world.page.connect();
  await settle();
  await world.snapshot(...pbxs);
  assert.strictEqual(world.page.stream.status, 'live');
  return world;
}

test('a wait is told by the clock of its PBX', async () => {
  const pbx = (more) => ({ pbx: 'main', subject: 'main', connected: true, last_event: iso(START - 4000), ...more });
  let world = await live(pbx({ clock_skew_seconds: -90 }));
  assert.strictEqual(world.page.shownNow('main'), START - 90000);
  assert.strictEqual(world.page.shownNow(), START);
  world = await live(pbx({ clock_skew_seconds: -90, connected: false }));
  assert.strictEqual(world.page.shownNow('main'), START - 94000);
  world = await live(pbx({ clock_skew_seconds: null }));
  assert.strictEqual(world.page.shownNow('main'), START);
});

test('a clock that is set moves no duration, and a new snapshot is asked for', async () => {
  for (const by of [HOUR, -HOUR]) {
    const world = await live();
    world.wall += by;
    assert.strictEqual(world.wrong(), 0);
    await world.pass(2000);
    assert.strictEqual(world.wrong(), 0);
    assert.strictEqual(world.streams.length, 2);
    assert.strictEqual(world.streams[1].resumes, '');
    await world.snapshot();
    await world.pass(2000);
    assert.strictEqual(world.streams.length, 2);
    assert.deepStrictEqual([...new Set(world.statuses)], ['live', 'connecting']);
  }
});

test('a machine that slept is right again at once', async () => {
  const world = await live();
  world.wall += HOUR;
  world.server += HOUR; // mono stood still
  await world.pass(2000);
  await world.snapshot();
  assert.strictEqual(world.wrong(), 0);
  assert.strictEqual(world.page.stream.status, 'live');
});

test('silence is noticed, whatever the clock is set to', async () => {
  for (const by of [0, 1000, -1000]) {
    const world = await live();
    await world.pass(5000);
    world.wall += by;
    await world.pass(17000);
    assert.strictEqual(world.page.stream.status, 'stale', 'clock set by ' + by);
    assert.strictEqual(world.page.shownNow(), START);
  }
});

test('heartbeats keep it live', async () => {
  const world = await live();
  for (let i = 0; i < 4; i++) {
    await world.pass(15000);
    await world.say(': heartbeat\n\n');
  }
  assert.deepStrictEqual([world.statuses, world.streams.length], [['live'], 1]);
});

test('a first snapshot that never ends is given up and asked for anew', async () => {
  const world = new World();
  world.page.connect();
  await settle();
  await world.say('id: boot-5\nevent: snapshot\ndata: {"now":');
  await world.pass(23000);
  assert.deepStrictEqual(world.statuses, ['stale']);
  assert.strictEqual(world.streams.length, 2);
  await world.snapshot();
  assert.strictEqual(world.page.stream.status, 'live');
  assert.strictEqual(world.wrong(), 0);
});

play({}, async () => {});
