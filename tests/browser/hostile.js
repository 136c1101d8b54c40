// SPDX-License-Identifier: MIT
// The wallboard and its log-in page when callers, agents and visitors mean harm: names and numbers that would be code, turn
// the direction of what follows, or are endless; wrong passwords; an address for a screen that is used twice.
'use strict';
const assert = require('assert');
const { execFileSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const { play, test } = require('./play.js');
const { SHOTS, Program, fresh, freePort, launch, replaced, until } = require('./stage.js');

const OUT = 'build/browser/hostile';
const SECRET = 'correct horse battery';
const RLO = '\u202e';
// What a caller may call himself, and what the page may make of it: text.
const NAMES = {
  'answered': '<img src=x onerror="window.hacked=1;document.title=1">',
  'queue-answered': '</script><script>window.hacked=1</script>',
  'queue-abandon': '"><svg/onload=window.hacked=1>',
  'hold-and-resume': RLO + 'gnp.exe' + RLO + '\u2067\u2067',
  'cancelled-by-caller': '\u200b\u200d\ufeff\u2060',
  'internal-call': 'Z' + '\u0335\u0321\u035f'.repeat(60) + 'algo',
  'ivr-digit-to-queue': 'A'.repeat(10000),
  'queue-local-member': '\ufdfd'.repeat(40) + ' javascript:window.hacked=1',
  'no-answer-then-playback': "';window.hacked=1;'",
};
const NUMBERS = { 'hold-and-resume': RLO + '0012345', 'queue-answered': '<b onmouseover=window.hacked=1>1', 'answered': '1'.repeat(5000) };
const AGENT = `${RLO}<img src=x onerror=window.hacked=1>${'agent '.repeat(60)}`;
const stage = { errors: [] };

// As Asterisk writes these fields.
const inAmi = (text) => Buffer.from(text.replace(/[\\'"?]/g, '\\$&'), 'utf8').toString('latin1');
const raw = (text) => Buffer.from(text, 'utf8').toString('latin1');

function recordings() {
  return Object.entries(NAMES).map(([name, caller]) => replaced(path.join('tests/captures', name), path.join(OUT, name), [
    [/(?<=^(?:CallerID|ConnectedLine|Dest\w+)Name: )(?:Caller \d{4}|Agent \d{3})(?=\r$)/gm, inAmi(caller)],
    [/(?<=^(?:CallerID|ConnectedLine)Num: )\+1415555\d{4}(?=\r$)/gm, raw(NUMBERS[name] || '+14155550100')],
    [/(?<=^MemberName: ).*(?=\r$)/gm, raw(AGENT)]]));
}

const amitap = (...words) => execFileSync('build/amitap', [...words.slice(0, 2), '-c', stage.config, ...words.slice(2)],
  { input: SECRET + '\n', encoding: 'utf8' });

async function open() {
  fresh(OUT);
  const [amiPort, webPort] = [await freePort(), await freePort()];
  stage.config = path.join(OUT, 'amitap.conf');
  fs.writeFileSync(stage.config, `pbx main {
  host = 127.0.0.1
  port = ${amiPort}
  user = tap
  secret = 'tapsecret'
}
store { path = "${path.resolve(OUT, 'amitap.db')}" }
web {
  listen = "127.0.0.1:${webPort}"
  users_file = "${path.resolve(OUT, 'users')}"
}
`);
  amitap('user', 'add', 'anna');
  stage.pbx = new Program('build/amisim', ['--port', String(amiPort), '--loop', '0', '--copies', '2', '--pace', '4', '--together', '--all-queues',
    ...recordings()]);
  await stage.pbx.says(/listening on/);
  stage.tap = new Program('build/amitap', ['run', '-c', stage.config]);
  await stage.tap.says(/following events/);
  stage.url = `http://127.0.0.1:${webPort}/`;
  stage.browser = await launch();
}

// A browser of somebody's own; everything that it complains of is kept.
async function visitor(options = {}) {
  const context = await stage.browser.newContext({ viewport: { width: 1280, height: 720 }, colorScheme: 'dark', ...options });
  const page = await context.newPage();
  page.on('console', (m) => m.type() === 'error' && !/status of 401/.test(m.text()) && stage.errors.push(m.text()));
  page.on('pageerror', (e) => stage.errors.push(e.message));
  page.on('dialog', (d) => { stage.errors.push('a dialogue: ' + d.message()); d.dismiss(); });
  page.on('request', (r) => r.url().startsWith(stage.url) || stage.errors.push('asked for ' + r.url()));
  await context.exposeFunction('violation', (what) => stage.errors.push('policy violated: ' + what));
  await page.addInitScript(watchNames);
  await page.addInitScript(() => addEventListener('securitypolicyviolation', (e) => window.violation(e.violatedDirective + ' ' + e.blockedURI)));
  return page;
}

// The page notes each name that it ever showed.
function watchNames() {
  window.names = new Set();
  new MutationObserver(() => { for (const e of document.querySelectorAll('bdi')) window.names.add(e.textContent); })
    .observe(document, { subtree: true, childList: true, characterData: true });
}

async function logIn(page, password) {
  await page.locator('#name').fill('anna');
  await page.locator('#password').fill(password);
  await page.locator('button').click();
}

const live = (page) => until('live', () => page.evaluate(() => document.body.dataset.stream === 'live'));

test('who is not logged in comes to the log-in page', async () => {
  const page = stage.page = await visitor();
  await page.goto(stage.url);
  assert.strictEqual(page.url(), stage.url + 'login');
  await page.screenshot({ path: path.join(SHOTS, 'login.png') });
});

test('a wrong password is said, and lets nobody in', async () => {
  await logIn(stage.page, 'wrong password');
  await stage.page.locator('#message', { hasText: 'Name or password is wrong.' }).waitFor();
  assert.strictEqual(stage.page.url(), stage.url + 'login');
  assert.deepStrictEqual(await stage.page.context().cookies(), []);
  await stage.page.screenshot({ path: path.join(SHOTS, 'login-wrong.png') });
});

test('the right one lets him in, by a cookie that no script sees', async () => {
  await logIn(stage.page, SECRET);
  await stage.page.waitForURL(stage.url);
  await live(stage.page);
  const cookies = await stage.page.context().cookies();
  assert.deepStrictEqual(cookies.map((c) => [c.httpOnly, c.sameSite, c.path, c.expires]), [[true, 'Strict', '/', -1]]);
  assert.strictEqual(await stage.page.evaluate(() => document.cookie), '');
  assert.strictEqual(await stage.page.locator('#out').isVisible(), true);
});

test('no name or number runs or becomes an element', async () => {
  const page = stage.page;
  const unseen = async () => {
    const names = await page.evaluate(() => [...window.names]);
    return Object.keys(NAMES).filter((key) => !names.some((name) => name && NAMES[key].startsWith(name.replace(/…$/, ''))));
  };
  await until('each hostile name was shown', async () => (await unseen()).join() === 'cancelled-by-caller', 60000)
    .catch(async (error) => { throw new Error(error.message + '; not: ' + await unseen()); });
  assert.deepStrictEqual(await page.evaluate(() => [window.hacked, document.querySelectorAll('main img, body svg[onload], b[onmouseover], body script').length]),
    [undefined, 0]);
  assert.strictEqual(await page.title(), 'Wallboard – amitap');
});

test('what turns the direction turns nothing but itself', async () => {
  const leaks = () => stage.page.evaluate(() => {
    const turns = /[\u202a-\u202e\u2066\u2067]/, out = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      const around = walk.currentNode.parentElement;
      // Within U+2068 … U+2069 it keeps to itself, too.
      const bare = walk.currentNode.data.replace(/\u2068[^\u2069]*\u2069/g, '');
      if (turns.test(bare) && getComputedStyle(around).unicodeBidi !== 'isolate') out.push(around.outerHTML.slice(0, 200));
    }
    for (const e of document.querySelectorAll('[title]'))
      if (turns.test(e.title.replace(/\u2068[^\u2069]*\u2069/g, ''))) out.push('title: ' + e.title.slice(0, 200));
    return out;
  });
  await until('such a caller is shown', () => stage.page.evaluate(() => document.body.textContent.includes('\u202egnp')), 30000);
  assert.deepStrictEqual(await leaks(), []);
});

test('a name of which nothing is seen is none', async () => {
  const blank = await stage.page.evaluate(() => [...document.querySelectorAll('.call .who > bdi, .chip bdi, .agent .name')]
    .filter((e) => !/[^\p{C}\p{Z}\p{M}]/u.test(e.textContent)).length);
  assert.strictEqual(blank, 0);
});

test('endless names push nothing out of its place', async () => {
  for (const [width, height] of [[1280, 720], [1920, 1080], [390, 844]]) {
    await stage.page.setViewportSize({ width, height });
    await until('it settles', () => stage.page.evaluate(() => new Promise((done) =>
      requestAnimationFrame(() => setTimeout(() => done(true), 300)))));
    const wrong = await stage.page.evaluate((wide) => {
      const out = [], box = (e) => e.getBoundingClientRect();
      if (document.documentElement.scrollWidth > innerWidth) out.push('the page is wider than the screen');
      if (wide && document.documentElement.scrollHeight > innerHeight) out.push('the page is higher than the screen');
      for (const e of document.querySelectorAll('.call, .agent, .chip, .queue, .line, .pbx')) {
        const outer = box(e);
        if (outer.width === 0) continue;
        if (outer.left < -1 || outer.right > innerWidth + 1) out.push('outside: ' + e.className);
        for (const time of e.querySelectorAll('time')) {
          const inner = box(time);
          if (inner.width && (inner.right > outer.right + 0.5 || inner.left < outer.left - 0.5)) out.push('a time sticks out of ' + e.className);
        }
        const [name, time] = [e.querySelector('.who > bdi, :scope > bdi'), e.querySelector(':scope > time')];
        if (name && time && box(name).right > box(time).left + 1 && box(name).bottom > box(time).top + 1 && box(name).top < box(time).bottom - 1)
          out.push('a name over the time of ' + e.className);
      }
      for (const e of document.querySelectorAll('[title]')) if (e.title.length > 1500) out.push('a title of ' + e.title.length);
      return out;
    }, width > height);
    await stage.page.screenshot({ path: path.join(SHOTS, `hostile-${width}.png`) });
    assert.deepStrictEqual(wrong, [], `on ${width}x${height}`);
  }
  await stage.page.setViewportSize({ width: 1280, height: 720 });
});

test('times of many agents stay within their cells', async () => {
  for (const agents of ['24', '34']) {
    const port = await freePort();
    const feed = new Program('build/fake_feed', [`127.0.0.1:${port}`, '7', agents], 'pipe');
    try {
      await feed.says(/http/);
      const page = await (await stage.browser.newContext({ viewport: { width: 1280, height: 720 } })).newPage();
      await page.goto(`http://127.0.0.1:${port}/`);
      await until('all are shown', () => page.evaluate((n) => document.querySelectorAll('.agent').length === n, Number(agents)));
      const near = await page.evaluate(() => [...document.querySelectorAll('.agent')].filter((e) => {
        const time = e.querySelector('time').getBoundingClientRect();
        return time.width && (e.getBoundingClientRect().right - time.right < 3 || e.querySelector('.icon').getBoundingClientRect().right > time.left);
      }).length);
      await page.screenshot({ path: path.join(SHOTS, `agents-${agents}.png`) });
      assert.strictEqual(near, 0, `${near} of ${agents} touch the edge`);
      await page.context().close();
    } finally {
      await feed.stop();
    }
  }
});

test('after the log-out nothing is shown any more', async () => {
  await stage.page.locator('#out').click();
  await stage.page.waitForURL(stage.url + 'login');
  assert.deepStrictEqual(await stage.page.context().cookies(), []);
  await stage.page.goBack().catch(() => {});
  await stage.page.goto(stage.url);
  assert.strictEqual(stage.page.url(), stage.url + 'login');
});

test('a screen comes in by its address, once, and sees the wallboard only', async () => {
  const before = stage.tap.said.length;
  const url = amitap('token', 'url', 'lobby').trim();
  assert.match(url, /\/login#code=[0-9a-f]{64}$/);
  const here = url.replace(/^https?:\/\/[^/]+\//, stage.url);
  const screen = await visitor();
  await until('amitap knows it', () => stage.tap.said.slice(before).includes('was read again'));
  await screen.goto(here);
  await screen.waitForURL(stage.url);
  await live(screen);
  assert(!(await screen.evaluate(() => location.href)).includes('code='), 'the code stays in the address');
  assert.strictEqual(await screen.locator('#out').isVisible(), false);
  assert.strictEqual((await screen.request.get(stage.url + 'metrics', { headers: { 'X-Forwarded-For': '10.0.0.1' } })).status(), 403);
  assert.strictEqual((await screen.request.get(stage.url + 'api/v1/state')).status(), 200);
  const again = await visitor();
  await again.goto(here);
  await again.locator('#message', { hasText: 'This address was used already' }).waitFor();
  assert.deepStrictEqual(await again.context().cookies(), []);
});

test('nothing was complained of, nothing was asked of anybody else', () => {
  assert.deepStrictEqual(stage.errors, []);
});

play(stage, open);
