// SPDX-License-Identifier: MIT
// The log-in page: sends the form without leaving the page, so that it can say what was wrong. The one-time
// address of a screen ends in #code=…, which no server or proxy on the way sees.
'use strict';

const form = document.getElementById('form');
const message = document.getElementById('message');
const button = form.querySelector('button');

const WORDS = {
  401: 'Name or password is wrong.',
  403: 'Logging in is not possible from here.',
  429: 'Too many attempts. Please wait a moment.',
  503: 'That is not possible just now. Please try again.',
};

async function send(fields, words) {
  button.disabled = true;
  message.textContent = '';
  try {
    const answer = await fetch('login', { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' });
    if (answer.type === 'opaqueredirect') {
      location.replace('./');
      return;
    }
    message.textContent = words[answer.status] || WORDS[answer.status] || 'That did not work (' + answer.status + ').';
  } catch (error) {
    message.textContent = 'amitap cannot be reached.';
  }
  button.disabled = false;
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  send(new FormData(form), {});
});

const code = /^#code=([0-9a-f]{64})$/.exec(location.hash);
if (code) {
  history.replaceState(null, '', 'login');
  send({ code: code[1] }, { 401: 'This address was used already, or is too old. Make a new one with “amitap token url”.' });
}
