// SPDX-License-Identifier: MIT
// What the wallboard is looked at through: amisim, amitap, a proxy that can cut, and a browser.
'use strict';
const { spawn } = require('child_process');
const fs = require('fs');
const net = require('net');
const path = require('path');
const { chromium } = require('playwright-core');

const SHOTS = 'build/screenshots';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Asks until it is so, and says what was waited for when it never is.
async function until(what, ask, ms = 10000) {
  const end = Date.now() + ms;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error('never: ' + what);
    await sleep(50);
  }
}

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

class Program {
  constructor(file, args, stdin = 'ignore') {
    this.said = '';
    this.child = spawn(file, args, { stdio: [stdin, 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream.on('data', (data) => { this.said += data; });
    this.ended = new Promise((resolve) => this.child.on('close', (code) => resolve(this.code = code)));
  }

  says(pattern) {
    return until(this.child.spawnfile + ' says ' + pattern + '; it said: ' + this.said, () => {
      if (this.code !== undefined) throw new Error(this.child.spawnfile + ' ended: ' + this.said);
      return pattern.exec(this.said);
    });
  }

  async stop() {
    if (this.code === undefined) this.child.kill('SIGTERM');
    const late = setTimeout(() => this.child.kill('SIGKILL'), 10000);
    await this.ended;
    clearTimeout(late);
    return this.code;
  }
}

// Carries bytes between the browser and amitap; notes the heads of requests for the stream.
class Proxy {
  constructor(to) {
    this.pairs = new Set();
    this.streams = [];
    this.server = net.createServer((near) => {
      const far = net.connect(to, '127.0.0.1');
      const pair = { near, far, stream: null };
      this.pairs.add(pair);
      near.on('data', (data) => {
        const head = String(data);
        if (head.startsWith('GET /api/v1/stream')) {
          pair.stream = { head, answer: '' };
          this.streams.push(pair.stream);
        }
        far.write(data);
      });
      far.on('data', (data) => {
        if (pair.stream && pair.stream.answer.length < 100000) pair.stream.answer += data;
        near.write(data);
      });
      const end = () => { near.destroy(); far.destroy(); this.pairs.delete(pair); };
      for (const socket of [near, far]) socket.on('close', end).on('error', end);
    });
  }

  listen() {
    return new Promise((resolve) => this.server.listen(0, '127.0.0.1',
      () => resolve(this.server.address().port)));
  }

  cut() {
    for (const { near } of this.pairs) near.destroy();
  }

  close() {
    this.cut();
    this.server.close();
  }
}

function launch() {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

// A copy of a recording with [what, by what] replaced in turn.
function replaced(recording, folder, pairs) {
  fs.mkdirSync(folder, { recursive: true });
  const bytes = fs.readFileSync(path.join(recording, 'ami.raw'), 'latin1');
  fs.writeFileSync(path.join(folder, 'ami.raw'), pairs.reduce((text, [what, by]) => text.replaceAll(what, () => by), bytes), 'latin1');
  return folder;
}

// When amisim first sent an event of this name, in ms since 1970, by Linkedid.
function firstSent(log, name) {
  const first = new Map();
  for (const line of fs.readFileSync(log, 'utf8').split('\n')) {
    const [time, event, , linkedid] = line.split(' ');
    if (event === name && !first.has(linkedid)) first.set(linkedid, Number(time) / 1000);
  }
  return first;
}

// An empty folder, and one for screenshots.
function fresh(folder) {
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  fs.mkdirSync(SHOTS, { recursive: true });
}

module.exports = { SHOTS, Program, Proxy, firstSent, fresh, freePort, launch, replaced, sleep, until };
