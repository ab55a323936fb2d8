// Opens the status page of a real scaler with a real local SQS behind it, as somebody would at night: it
// must ask for nothing else, be readable, work by keyboard, come alive by itself and bear many rows.
// Run by `tests/pages/run`.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import http2 from 'node:http2';
import { performance } from 'node:perf_hooks';
import { chromium } from 'playwright-core';

const [browserPath, sluice, pictures, rowsWanted = '1000'] = process.argv.slice(2);
const ROWS = Number(rowsWanted);
const CONTRAST_MIN = 4.5;
// Much more than any of this takes on a busy machine.
const PATIENCE_MS = 60_000;

// --- the programs -----------------------------------------------------------------------------------

const children = [];

/** Starts a command of `sluice` and waits for the line of its log that matches. */
function start(command, expected) {
  const environment = { ...process.env, AWS_ACCESS_KEY_ID: 'any', AWS_SECRET_ACCESS_KEY: 'any' };
  const child = spawn(sluice, command, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  return new Promise((resolve, reject) => {
    let log = '';
    const hear = (text) => {
      log += text;
      const match = log.match(expected);
      if (match) resolve(match);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('exit', (code) => reject(new Error(`${command[0]} ended with ${code}: ${log}`)));
  });
}

// --- KEDA's calls, written out: field number << 3 | 2, length, bytes -----------------------------------

const varint = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)]);
function field(number, content) {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(bytes.length)]), bytes]);
}
function reference(name, metadata) {
  const entries = Object.entries(metadata).map(([key, value]) => field(3, Buffer.concat([field(1, key), field(2, value)])));
  return Buffer.concat([field(1, name), field(2, 'shop'), ...entries]);
}

/** Asks for the metric of an object, and gives gRPC's status. */
function getMetrics(session, name, metadata) {
  const message = field(1, reference(name, metadata));
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST', ':path': '/externalscaler.ExternalScaler/GetMetrics',
      'content-type': 'application/grpc', te: 'trailers',
    });
    let status;
    stream.on('response', (headers) => { status ??= headers['grpc-status']; });
    stream.on('trailers', (headers) => { status ??= headers['grpc-status']; });
    stream.on('data', () => {});
    stream.on('end', () => resolve(Number(status)));
    stream.on('error', reject);
    stream.end(Buffer.concat([frame, message]));
  });
}

async function atMost(limit, tasks) {
  const waiting = [...tasks];
  const work = async () => { while (waiting.length) await waiting.shift()(); };
  await Promise.all(Array.from({ length: limit }, work));
}

// --- what is set up ---------------------------------------------------------------------------------

const [, endpoint] = await start(['local', '--listen', '127.0.0.1:0', '--queue', 'orders', '--queue', 'mail'], /(http:\/\/127\.0\.0\.1:\d+)/);
const [, grpc, http] = await start(
  ['serve', '--loopback-endpoints', '--grpc-listen', '127.0.0.1:0', '--http-listen', '127.0.0.1:0', '--cloudwatch', 'off', '--cache-ttl-seconds', '0',
    // A busy machine is no outage.
    '--rpc-deadline-seconds', '10', '--fetch-deadline-seconds', '30'],
  /serving.*grpc=(\S+).*http=(\S+)/s);
const plain = (text) => text.replace(/\u001b\[\d*m/g, '');
const page = `http://${plain(http)}/`;
const session = http2.connect(`http://${plain(grpc)}`);

async function sqs(operation, body) {
  const answer = await fetch(endpoint, {
    method: 'POST', body: JSON.stringify(body),
    headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${operation}`, authorization: 'AWS4-HMAC-SHA256 Credential=any/20260101/eu-west-1/sqs/aws4_request, SignedHeaders=host, Signature=any' },
  });
  assert.equal(answer.status, 200, `${operation}: ${await answer.clone().text()}`);
  return answer.json();
}
async function send(queue, count) {
  const { QueueUrl } = await sqs('GetQueueUrl', { QueueName: queue });
  for (let sent = 0; sent < count; sent += 10) {
    const Entries = Array.from({ length: Math.min(10, count - sent) }, (_, index) => ({ Id: `m${index}`, MessageBody: 'x' }));
    await sqs('SendMessageBatch', { QueueUrl, Entries });
  }
}
const trigger = (queue, extra = {}) => ({ queueURL: queue, awsRegion: 'eu-west-1', awsEndpoint: endpoint, ...extra });
const ask = (name, queue, extra) => getMetrics(session, name, trigger(queue, extra));

// --- the browser ------------------------------------------------------------------------------------

const flags = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const browser = await chromium.launch({ executablePath: browserPath, args: flags, chromiumSandbox: false });

/** A page that fails the test when it complains or asks anybody else. */
async function open(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const opened = await context.newPage();
  opened.setDefaultTimeout(PATIENCE_MS);
  const [complaints, requests] = [[], []];
  opened.on('console', (message) => complaints.push(message.text()));
  opened.on('pageerror', (error) => complaints.push(String(error)));
  opened.on('request', (request) => requests.push(request.url()));
  const response = await opened.goto(page);
  assert.match(response.headers()['content-security-policy'], /default-src 'none'/);
  const check = (about) => {
    assert.deepEqual(complaints, [], `${about}: complained`);
    assert.deepEqual(requests.filter((url) => !url.startsWith(page) && !url.startsWith('data:')), [], `${about}: asked somebody else`);
  };
  return { page: opened, context, check };
}

// Runs within the browser: texts that are too pale, and parts without a name.
function measure(least) {
  const numbers = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = ([red, green, blue]) => {
    const linear = [red, green, blue].map((part) => {
      const share = part / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = numbers(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const contrast = (element) => {
    const [one, other] = [luminance(numbers(getComputedStyle(element).color)), luminance(ground(element))];
    return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  };
  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) && element.offsetParent;
  const texts = [...document.body.querySelectorAll('*:not(script):not(style)')].filter(hasText);
  return {
    pale: texts.filter((element) => contrast(element) < least).map((element) => `${contrast(element).toFixed(2)} ${element.outerHTML.slice(0, 90)}`),
    unnamed: [...document.querySelectorAll('button, input, svg[role=img]')].filter((element) => !(element.getAttribute('aria-label') || element.labels?.length || element.textContent.trim())).map((element) => element.outerHTML.slice(0, 90)),
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  };
}

const tests = [];
const test = (name, body) => tests.push([name, body]);

test('a queue in trouble comes first, and the reasons are a key away', async () => {
  await send('orders', 40);
  assert.equal(await ask('orders', 'orders', { targetWaitSeconds: '60', concurrency: '10', mode: 'shadow', quueLength: '5' }), 0);
  assert.equal(await ask('mail', 'mail'), 0);
  assert.equal(await ask('gone', 'nowhere'), 5, 'an absent queue is not found');
  const opened = await open();
  const rows = opened.page.locator('#rows > .row');
  await rows.nth(2).waitFor();
  const states = await opened.page.locator('#rows > .row .state').allTextContents();
  assert.deepEqual(states, ['cannot observe', 'warning', 'idle']);
  await opened.page.keyboard.press('ArrowDown');
  await opened.page.keyboard.press('ArrowDown');
  await opened.page.keyboard.press('Enter');
  const why = opened.page.locator('#why');
  await why.getByText('aws-sqs-queue would say 8').waitFor();
  await why.getByText('What the law would ask for').waitFor();
  await why.getByText('did you mean "queueLength"?').waitFor();
  assert.match(await why.locator('.told').textContent(), /^8 replicas asked for, active$/);
  assert.equal(await why.locator('svg[role=img]').count(), 3);
  await opened.page.screenshot({ path: `${pictures}/status-why.png` });
  await opened.page.keyboard.press('Escape');
  assert.ok(await why.isHidden());
  assert.equal(await opened.page.evaluate(() => document.activeElement.closest('.row')?.querySelector('strong').textContent), 'shop/orders');
  opened.check('by keyboard');
  await opened.context.close();
});

test('what changes is shown without loading the page again', async () => {
  const opened = await open();
  const row = opened.page.locator('#rows > .row', { hasText: 'shop/mail' });
  await row.getByText('idle').waitFor();
  await send('mail', 30);
  assert.equal(await ask('mail', 'mail'), 0);
  await row.getByText('working').waitFor();
  assert.match(await row.locator('.backlog').textContent(), /30/);
  opened.check('live');
  await opened.context.close();
});

test('names are found, and states are filtered', async () => {
  const opened = await open();
  await opened.page.locator('#rows > .row').nth(2).waitFor();
  await opened.page.keyboard.press('/');
  await opened.page.keyboard.type('orders');
  assert.equal(await opened.page.locator('#rows > .row:visible').count(), 1);
  await opened.page.keyboard.press('Escape');
  await opened.page.getByRole('button', { name: 'cannot observe' }).first().click();
  assert.deepEqual(await opened.page.locator('#rows > .row:visible strong').allTextContents(), ['shop/gone']);
  opened.check('found');
  await opened.context.close();
});

for (const colorScheme of ['light', 'dark']) {
  for (const width of [1440, 420]) {
    test(`it is readable in ${colorScheme} at ${width} pixels`, async () => {
      const opened = await open({ colorScheme, viewport: { width, height: 900 } });
      await opened.page.locator('#rows > .row').nth(2).waitFor();
      const before = await opened.page.evaluate(measure, CONTRAST_MIN);
      await opened.page.screenshot({ path: `${pictures}/status-${colorScheme}-${width}.png` });
      await opened.page.locator('#rows > .row').nth(1).click();
      await opened.page.locator('#why .told').waitFor();
      const after = await opened.page.evaluate(measure, CONTRAST_MIN);
      await opened.page.screenshot({ path: `${pictures}/status-why-${colorScheme}-${width}.png` });
      for (const found of [before, after]) {
        assert.deepEqual(found.pale, []);
        assert.deepEqual(found.unnamed, []);
        assert.ok(found.overflow <= 0, `${found.overflow} pixels too wide`);
      }
      opened.check('readable');
      await opened.context.close();
    });
  }
}

test(`${ROWS} rows are shown`, async () => {
  const names = Array.from({ length: ROWS - 3 }, (_, index) => `queue-${String(index).padStart(4, '0')}`);
  await atMost(16, names.map((name) => () => sqs('CreateQueue', { QueueName: name })));
  await atMost(16, names.slice(0, 40).map((name, index) => () => send(name, index * 3)));
  const extra = (index) => (index % 3 ? {} : { targetWaitSeconds: '120' });
  await atMost(16, names.map((name, index) => async () => assert.equal(await ask(name, name, extra(index)), 0)));
  const began = performance.now();
  const opened = await open();
  await opened.page.waitForFunction((least) => document.querySelectorAll('#rows > .row').length >= least, ROWS);
  const loaded = performance.now() - began;
  await opened.page.screenshot({ path: `${pictures}/status-rows.png` });
  const scraped = performance.now();
  const text = await (await fetch(`${page}metrics`, { headers: { accept: 'application/openmetrics-text' } })).text();
  const scrape = performance.now() - scraped;
  console.log(`  ${ROWS} rows loaded in ${loaded.toFixed(0)} ms, ${text.length} bytes of metrics scraped in ${scrape.toFixed(0)} ms`);
  assert.equal(await opened.page.locator('#summary').textContent(), `${ROWS.toLocaleString('en')} queues, 2 to look at`);
  opened.check('many');
  await opened.context.close();
});

let failed = 0;
for (const [name, body] of tests) {
  try {
    await body();
    console.log(`ok ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED ${name}\n${error.stack}`);
  }
}
await browser.close();
session.close();
for (const child of children) {
  child.removeAllListeners('exit');
  child.kill('SIGTERM');
}
console.log(`${tests.length - failed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
