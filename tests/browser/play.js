// SPDX-License-Identifier: MIT
// The tests of one part: what each is, how they are run, and what came of them.
'use strict';

const tests = [];
const test = (name, run) => tests.push({ name, run });

// Whether a test passes; says which did, with its seconds, and which did not, and why.
async function passes({ name, run }) {
  const begin = Date.now();
  try {
    await run();
    console.log('ok    %s (%s s)', name, ((Date.now() - begin) / 1000).toFixed(1));
    return true;
  } catch (error) {
    console.log('FAIL  %s\n%s', name, String(error.stack || error).replace(/^/gm, '      ').slice(0, 3000));
    return false;
  }
}

async function close({ browser, proxy, tap, pbx }) {
  if (browser) await browser.close();
  if (proxy) proxy.close();
  for (const program of [tap, pbx]) if (program) await program.stop();
}

// Every test, in order, on the stage that open() fills; look(n) is called behind the nth that failed. Ends the process.
async function play(stage, open, look = async () => {}) {
  let failed = 0, passed = 0;
  try {
    await open();
    for (const each of tests) {
      if (await passes(each)) passed++;
      else await look(++failed).catch(() => {});
    }
  } catch (error) {
    failed++;
    console.log('FAIL  the stage\n%s', error.stack || error);
  }
  await close(stage);
  if (failed && stage.tap) console.log('amitap said: %s', stage.tap.said);
  console.log('%d passed, %d failed', passed, failed);
  process.exit(failed ? 1 : 0);
}

module.exports = { play, test };
