#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// Prints screen-pops, call logs and CDRs from amitap's topics; see ../README.md.
//
// usage: consumer.js PROPERTIES [PREFIX]
//        consumer.js -
'use strict';

const fs = require('node:fs');
const readline = require('node:readline');

const SEEN_MAX = 100000;
const TOPICS = ['call-events', 'calls', 'cdr'];

// The ids printed last, in the order in which they came.
const seen = new Set();

// Whether a record with this id was printed before; from now on it was.
function seenBefore(id) {
  if (seen.has(id)) return true;
  seen.add(id);
  if (seen.size > SEEN_MAX) seen.delete(seen.values().next().value);
  return false;
}

function caller(r) {
  const name = r.caller_name ? ` "${r.caller_name}"` : '';
  return `${r.caller_number || 'unknown'}${name}, dialled ${r.dialled}`;
}

function ring(r) {
  const queue = r.queue ? `, queue ${r.queue}` : '';
  return `RING ${r.time} ${r.interface} number ${r.number}: ${caller(r)}${queue}`;
}

function call(r) {
  const end = r.hung_up_by ? `, hung up by ${r.hung_up_by}` : '';
  const answered = r.answer ? 'answered' : 'not answered';
  return `CALL ${r.start || '-'} ${caller(r)}: ${answered}, ${Math.floor(r.duration)} s${end}`;
}

function cdr(r) {
  const to = r.dstchannel ? ` to ${r.dstchannel}` : '';
  const length = `${Math.floor(r.billsec)} s of ${Math.floor(r.duration)} s`;
  return `CDR ${r.start || '-'} ${r.src} -> ${r.dst}: ${r.disposition}, ${length}, ${r.channel}${to}`;
}

const LINES = { call_ringing: ring, call, cdr };

function take(record) {
  const line = LINES[record.kind];
  if (!line || seenBefore(record.id)) return;
  const text = line(record) + (record.inferred ? ' (inferred)' : '');
  // What comes from a caller must not move the cursor.
  console.log(text.replace(/[\x00-\x1f\x7f-\x9f]/g, '?'));
}

// Lines "name=value"; '#' begins a comment line.
function readProperties(path) {
  const lines = fs.readFileSync(path, 'utf8').split(/\r?\n/).filter((line) => line && !line.startsWith('#'));
  return new Map(lines.map((line) => {
    const at = line.indexOf('=');
    return [line.slice(0, at), line.slice(at + 1)];
  }));
}

// kafkajs has names of its own for librdkafka's properties.
function kafkaOptions(p) {
  const protocol = (p.get('security.protocol') || 'plaintext').toLowerCase();
  const file = (name) => (p.has(name) ? fs.readFileSync(p.get(name)) : undefined);
  const options = { clientId: 'amitap-consumer', brokers: p.get('bootstrap.servers').split(',') };
  if (protocol.endsWith('ssl')) {
    options.ssl = {
      ca: file('ssl.ca.location'),
      cert: file('ssl.certificate.location'),
      key: file('ssl.key.location'),
    };
  }
  if (protocol.startsWith('sasl')) {
    options.sasl = {
      mechanism: (p.get('sasl.mechanism') || p.get('sasl.mechanisms')).toLowerCase(),
      username: p.get('sasl.username'),
      password: p.get('sasl.password'),
    };
  }
  return options;
}

async function consume(path, prefix) {
  const { Kafka, logLevel } = require('kafkajs');
  const properties = readProperties(path);
  const kafka = new Kafka({ ...kafkaOptions(properties), logLevel: logLevel.WARN });
  const consumer = kafka.consumer({ groupId: properties.get('group.id') });
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => consumer.disconnect());
  await consumer.connect();
  await consumer.subscribe({
    topics: TOPICS.map((topic) => prefix + topic),
    fromBeginning: properties.get('auto.offset.reset') === 'earliest',
  });
  await consumer.run({
    eachMessage: async ({ message }) => {
      // The kind is in the header too: what is not printed need not be parsed.
      const kind = String(message.headers.ce_type || '').replace(/^amitap\.(.*)\.v0$/, '$1');
      if (message.value && LINES[kind]) take(JSON.parse(message.value));
    },
  });
}

async function main() {
  const [, , path, prefix] = process.argv;
  if (!path || process.argv.length > 4) {
    console.error('usage: consumer.js PROPERTIES [PREFIX]\n       consumer.js -');
    process.exitCode = 2;
  } else if (path === '-') {
    for await (const line of readline.createInterface({ input: process.stdin })) take(JSON.parse(line));
  } else {
    await consume(path, prefix || 'amitap.');
  }
}

main().catch((error) => {
  console.error(`consumer: ${error.message}`);
  process.exitCode = 1;
});
