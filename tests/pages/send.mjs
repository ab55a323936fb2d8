// Uses the page of `sluice-worker send` as a person would, against the local SQS and a stand-in for the API server of
// Kubernetes, and fails when it asks elsewhere, complains, does not fit, or shows what is not so. Run by `tests/pages/run`.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';

const [browserPath, sluice, worker, pictures] = process.argv.slice(2);
const PASSWORD = 'correct horse battery';
const PATIENCE_MILLISECONDS = 60_000;

const flags = [
  '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

// Starts a program, and waits for a line that has its address.
function start(program, args, env, pattern) {
  const child = spawn(program, args, { env: { PATH: process.env.PATH, ...env } });
  let said = '';
  const address = new Promise((resolve, reject) => {
    const hear = (text) => {
      said += text;
      const found = said.match(pattern);
      if (found) resolve(found[1]);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('exit', (code) => reject(new Error(`${program} ended with ${code}: ${said}`)));
  });
  return { child, address };
}

// Two pods and their autoscaler, until it is told to refuse.
const cluster = { refuses: false };
const apiServer = createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  if (cluster.refuses) {
    response.statusCode = 403;
    response.end(JSON.stringify({ kind: 'Status', message: 'pods is forbidden' }));
  } else if (request.url.startsWith('/apis/autoscaling/v2/')) {
    const current = { type: 'External', external: { current: { averageValue: '4500m' } } };
    response.end(JSON.stringify({ items: [{ status: { currentMetrics: [current] } }] }));
  } else {
    const names = ['consumer-a', 'consumer-b'];
    response.end(JSON.stringify({ items: names.map((name) => ({ metadata: { name } })) }));
  }
});
await new Promise((resolve) => { apiServer.listen(0, '127.0.0.1', resolve); });

const local = start(sluice, ['local', '--listen', '127.0.0.1:0', '--queue', 'orders'], {}, /endpoint=(http:\S+)/);
const endpoint = await local.address;
const page = start(worker, ['send'], {
  AWS_ENDPOINT_URL: endpoint,
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_REGION: 'eu-west-1',
  SQS_QUEUE_NAME: 'orders',
  SLUICE_WORKER_PASSWORD: PASSWORD,
  SLUICE_WORKER_KUBERNETES_URL: `http://127.0.0.1:${apiServer.address().port}`,
  POD_NAMESPACE: 'shop',
  POD_NAME: 'sender-1',
  HEALTH_HOST: '127.0.0.1',
  HEALTH_PORT: '0',
  NO_COLOR: '1',
}, /address="?(127\.0\.0\.1:\d+)/);
const url = `http://${await page.address}/`;
const browser = await chromium.launch({ executablePath: browserPath, args: flags, chromiumSandbox: false });

async function opened(options) {
  const context = await browser.newContext({
    httpCredentials: { username: 'sluice', password: PASSWORD }, viewport: { width: 1280, height: 900 }, ...options,
  });
  context.setDefaultTimeout(PATIENCE_MILLISECONDS);
  const tab = await context.newPage();
  const [elsewhere, complaints] = [[], []];
  tab.on('request', (request) => { if (!request.url().startsWith(url)) elsewhere.push(request.url()); });
  tab.on('console', (message) => complaints.push(message.text()));
  tab.on('pageerror', (error) => complaints.push(String(error)));
  await tab.goto(url);
  return { context, tab, elsewhere, complaints };
}

const shows = (tab, id, text) => tab.waitForFunction(
  ([element, expected]) => document.getElementById(element).textContent === expected,
  [id, text],
  { timeout: PATIENCE_MILLISECONDS },
);

async function aPersonSendsAndSeesTheCountsGrow() {
  const { context, tab, elsewhere, complaints } = await opened({});
  await shows(tab, 'messages', '0');
  await shows(tab, 'pods', '2');
  await tab.fill('#number', '25');
  await tab.click('button');
  await shows(tab, 'note', 'Sending 25 messages in background (sender-1).');
  await shows(tab, 'messages', '25');
  await shows(tab, 'average', '4.5');
  assert.deepEqual(await tab.locator('#names li').allTextContents(), ['consumer-a', 'consumer-b']);
  await tab.screenshot({ path: `${pictures}/send.png`, fullPage: true });
  cluster.refuses = true;
  await shows(tab, 'pods', 'not known');
  assert.match(await tab.textContent('#pods-reason'), /pods is forbidden/);
  cluster.refuses = false;
  await shows(tab, 'pods', '2');
  assert.deepEqual(elsewhere, [], 'asked elsewhere');
  // Of what was refused the browser itself complains.
  assert.deepEqual(complaints.filter((text) => !text.includes('status of 503')), [], 'complained');
  await context.close();
}

async function itWorksWithoutItsScript() {
  const { context, tab } = await opened({ javaScriptEnabled: false });
  await tab.fill('#number', '3');
  await tab.click('button');
  await tab.getByText('Sent 3 messages.').waitFor();
  await context.close();
}

async function itFitsASmallScreenInTheDark() {
  const { context, tab } = await opened({ colorScheme: 'dark', viewport: { width: 360, height: 800 } });
  const overflow = await tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(overflow <= 0, `${overflow} pixels too wide`);
  await tab.screenshot({ path: `${pictures}/send-dark-360.png`, fullPage: true });
  await context.close();
}

async function aStrangerSeesNothing() {
  const context = await browser.newContext();
  const tab = await context.newPage();
  const status = await tab.goto(url).then((answer) => answer.status(), String);
  assert.match(String(status), /401|ERR_INVALID_AUTH_CREDENTIALS/);
  assert.equal(await tab.locator('form').count(), 0);
  await context.close();
}

const checks = [
  aPersonSendsAndSeesTheCountsGrow, itWorksWithoutItsScript, itFitsASmallScreenInTheDark, aStrangerSeesNothing,
];
try {
  for (const check of checks) await check();
  console.log(`${checks.length} passed, 0 failed`);
} finally {
  await browser.close();
  apiServer.close();
  for (const { child } of [page, local]) child.removeAllListeners('exit').kill('SIGTERM');
}
