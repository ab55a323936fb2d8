// Opens a report in a browser and fails when it asks for anything, complains, does not fit, or cannot
// be read. Run by `tests/pages/run`.
import assert from 'node:assert/strict';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const [browserPath, report, pictures] = process.argv.slice(2);
const url = pathToFileURL(report).href;

// The least contrast of normal text by WCAG 2 AA.
const CONTRAST_MIN = 4.5;

const flags = [
  '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];
const browser = await chromium.launch({ executablePath: browserPath, args: flags, chromiumSandbox: false });

// What is asked of a page within the browser.
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
    const style = getComputedStyle(element);
    const color = element.closest('svg') ? style.fill : style.color;
    const [one, other] = [luminance(numbers(color)), luminance(ground(element))];
    return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  };
  const texts = [...document.querySelectorAll('h1,h2,h3,p,a,td,th,summary,figcaption,svg .axis text,svg .legend text')];
  const pale = texts.filter((element) => contrast(element) < least).map((element) => element.outerHTML.slice(0, 80));
  return {
    heading: document.querySelector('h1').textContent,
    charts: document.querySelectorAll('svg[role=img]').length,
    unnamed: [...document.querySelectorAll('svg[role=img]')].filter((chart) => !chart.getAttribute('aria-label')).length,
    empty: [...document.querySelectorAll('svg[role=img] path:not(.front)')].filter((path) => !path.getAttribute('d')).length,
    articles: document.querySelectorAll('article').length,
    tables: document.querySelectorAll('article table').length,
    rows: document.querySelectorAll('#leaderboard ~ * tbody tr').length,
    note: document.querySelector('.note')?.textContent,
    ids: [...document.querySelectorAll('[id]')].map((element) => element.id),
    links: [...document.querySelectorAll('a')].map((link) => link.getAttribute('href')),
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    pale,
  };
}

async function check(colorScheme, width) {
  const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 } });
  const page = await context.newPage();
  const [requests, complaints] = [[], []];
  page.on('request', (request) => requests.push(request.url()));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(url);
  await page.locator('details').evaluateAll((all) => all.forEach((details) => { details.open = details.closest('article') === null; }));
  const found = await page.evaluate(measure, CONTRAST_MIN);
  await page.screenshot({ path: `${pictures}/report-${colorScheme}-${width}.png`, fullPage: true });
  const about = `${colorScheme} at ${width}`;
  assert.deepEqual(requests, [url], `${about}: asked for something`);
  assert.deepEqual(complaints, [], `${about}: complained`);
  assert.match(found.heading, /tweets\.csv: \d+ policies compared/);
  assert.equal(found.charts, 1 + 3 * found.articles, `${about}: charts`);
  assert.equal(found.tables, found.articles, `${about}: a table beside the charts`);
  assert.equal(found.rows, found.articles, `${about}: rows of the leaderboard`);
  assert.deepEqual([found.unnamed, found.empty], [0, 0], `${about}: charts without a name or a line`);
  assert.match(found.note, /<b>orders & more\.yaml:18:7: a trigger of type "cron"/);
  assert.ok(found.links.length > 0 && found.links.every((link) => found.ids.includes(link.slice(1))), `${about}: links`);
  assert.ok(found.overflow <= 0, `${about}: ${found.overflow} pixels too wide`);
  assert.deepEqual(found.pale, [], `${about}: contrast below ${CONTRAST_MIN}`);
  await context.close();
}

let passed = 0;
for (const colorScheme of ['light', 'dark']) {
  for (const width of [1440, 420]) {
    await check(colorScheme, width);
    passed += 1;
  }
}
await browser.close();
console.log(`${passed} passed, 0 failed`);
