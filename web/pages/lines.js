// SPDX-License-Identifier: MIT
// One line of the wallboard: trunks with their calls and failures, registrations that are down, phones that
// cannot be reached, calls that programs outside of the dialplan have. It is there only when there is something to say.
'use strict';

const PHONES_NAMED = 4;
const LINES_SHOWN = 8;
// Hang-up causes that are the people's doing (or nobody's): busy, no answer, rejected, cancelled.
const PEOPLE = new Set([0, 16, 17, 18, 19, 21, 26]);

const shortName = (endpoint) => endpoint.slice(endpoint.indexOf('/') + 1);

function trunkLine(t) {
  const failed = t.failures.filter((f) => !PEOPLE.has(f.cause)).sort((a, b) => b.count - a.count);
  const n = failed.reduce((sum, f) => sum + f.count, 0);
  return { key: 'trunk/' + keyOf(t), pbx: t.pbx, level: n ? 'warn' : '', icon: n ? 'alert' : 'dial', name: shortName(t.trunk),
    text: t.calls + (t.calls === 1 ? ' call' : ' calls') + (n ? ' · ' + n + ' failed: ' + isolated(failed[0].cause_text) : ''),
    title: [isolated(t.trunk), 'most at once ' + t.calls_max, t.attempts_in + ' in', t.attempts_out + ' out', t.answered + ' answered',
      ...t.failures.map((f) => f.count + ' × ' + isolated(f.cause_text))].join(' · ') };
}

function registrationLine(r) {
  return { key: 'registration/' + keyOf(r), pbx: r.pbx, level: 'crit', icon: 'alert', name: r.registration || r.username || r.subject,
    text: 'registration ' + isolated(r.state.toLowerCase()), title: [isolated(r.subject), isolated(r.reason)].filter(Boolean).join(' · ') };
}

const HANDED_TO = { agi: 'AGI', fastagi: 'FastAGI', asyncagi: 'AsyncAGI', eagi: 'EAGI', stasis: 'Stasis',
  audiosocket: 'AudioSocket', externalmedia: 'External media' };

function loadLine(l) {
  return { key: 'load/' + keyOf(l), pbx: l.pbx, level: '', icon: 'app', name: HANDED_TO[l.handed_to] || l.handed_to,
    text: l.now + ' now · most ' + l.most, title: ['most in the last full minute ' + l.most_in_minute,
      'hour ' + l.most_in_hour, l.runs + ' in all', 'longest ' + (l.longest_seconds === null ? '–' : Math.round(l.longest_seconds) + ' s')].join(' · ') };
}

function phonesLine(phones) {
  const names = phones.map((e) => shortName(e.endpoint)).sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
  const more = names.length - PHONES_NAMED;
  return { key: 'phones', level: 'warn', icon: 'off', name: names.slice(0, PHONES_NAMED).map(isolated).join(', ') + (more > 0 ? ' +' + more : ''),
    text: 'not reachable', title: names.slice(0, 200).map(isolated).join(', ') };
}

function linesOf() {
  const byName = (a, b) => keyOf(a).localeCompare(keyOf(b));
  const unreachable = [...state.endpoint.values()].filter((e) => e.state === 'UNAVAILABLE');
  return [
    ...[...state.registration.values()].filter((r) => r.state && r.state !== 'Registered').sort(byName).map(registrationLine),
    ...[...state.trunk.values()].sort(byName).map(trunkLine).sort((a, b) => (b.level !== '') - (a.level !== '')),
    ...[...state.load.values()].filter((l) => l.now > 0 && l.application === null).sort(byName).map(loadLine),
  ].slice(0, LINES_SHOWN - 1).concat(unreachable.length ? [phonesLine(unreachable)] : []);
}

function renderLines() {
  const list = linesOf();
  $('lines').hidden = !list.length;
  document.querySelector('main').classList.toggle('has-lines', list.length > 0);
  keyed($('lines'), list, (l) => l.key, () => {
    const e = element('li', 'line');
    e.icon = e.appendChild(icon('dial'));
    e.nameText = e.appendChild(element('bdi', 'name'));
    e.text = e.appendChild(element('span'));
    return e;
  }, (e, l) => {
    setIcon(e.icon, l.icon);
    setText(e.nameText, shown(l.name));
    setText(e.text, l.text);
    e.title = l.title;
    setLevel(e, l.level);
    e.classList.toggle('old', l.pbx !== undefined && isOld(l));
  });
}
