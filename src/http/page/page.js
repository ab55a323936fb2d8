// The status page: rows that come by server-sent events, and for the chosen one the whole report. It only
// reads. Everything from the server is put in as text, never as markup.
'use strict';

const STATES = [
  ['cannot_observe', 'cannot observe'], ['late', 'late'], ['warning', 'warning'],
  ['working', 'working'], ['idle', 'idle'], ['unasked', 'not asked'],
];
const RANK = Object.fromEntries(STATES.map(([state], rank) => [state, rank]));
const LABEL = Object.fromEntries(STATES);
const BOUND = {
  empty: 'empty queue', law_empty: 'empty queue', below_activation: 'activation length',
  queue_length: 'queue length', max_replicas: 'maxReplicas', learning: 'still learning',
  target_wait: 'target wait', busy: 'busy replicas', taken_over: 'taken over', stalled: 'work fails',
  ineffective: 'something behind', fifo_groups: 'FIFO groups', noisy_groups: 'quiet tenants',
};
// Rows are put in order no more often than this, and never under somebody's pointer or focus.
const ORDER_EVERY_MS = 5000;
// The ages on the page grow by themselves.
const AGES_EVERY_MS = 1000;
// The chosen object is read again so often.
const REPORT_EVERY_MS = 4000;

const byId = (id) => document.getElementById(id);
const rows = new Map();
const shown = { state: null, text: '', chosen: null, orderedAt: 0, reportTimer: 0 };

// --- small pieces -----------------------------------------------------------------------------------

function element(tag, attributes = {}, ...children) {
  const svg = ['svg', 'path'].includes(tag);
  const made = svg ? document.createElementNS('http://www.w3.org/2000/svg', tag) : document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

function seconds(value) {
  if (value === null || value === undefined) return '–';
  if (value === 0) return '0 s';
  if (value < 0.95) return `${(value * 1000).toFixed(0)} ms`;
  if (value < 10) return `${Number(value.toFixed(1))} s`;
  if (value < 120) return `${Math.round(value)} s`;
  if (value < 7200) return `${Math.round(value / 60)} min`;
  if (value < 172800) return `${Math.round(value / 3600)} h`;
  return `${Math.round(value / 86400)} d`;
}

const NUMBERS = new Intl.NumberFormat('en');
const whole = (value) => (value === null || value === undefined ? '–' : NUMBERS.format(Math.round(value)));

/** The path of a line through values, in a box of 100 by 100, and the area under it. */
function lines(values, most) {
  const top = Math.max(most, 1e-9);
  const step = values.length > 1 ? 100 / (values.length - 1) : 0;
  const points = values.map((value, index) => `${(index * step).toFixed(2)} ${(98 - (96 * value) / top).toFixed(2)}`);
  if (points.length === 1) points.push(`100 ${points[0].split(' ')[1]}`);
  const line = `M${points.join('L')}`;
  return { line, area: `${line}L100 100L0 100Z` };
}

// --- the table --------------------------------------------------------------------------------------

// One row is built, and the others are copies of it: thousands must be there within a moment.
const PATTERN = (() => {
  const cell = (attributes, ...children) => element('div', { role: 'cell', ...attributes }, ...children);
  const part = (name, tag, attributes = {}, ...children) => element(tag, { 'data-part': name, ...attributes }, ...children);
  const spark = element('svg', { class: 'spark', viewBox: '0 0 100 100', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    part('area', 'path', { class: 'fill' }), part('line', 'path', { class: 'line' }));
  return element('div', { class: 'row', role: 'row' },
    cell({}, part('state', 'span', { class: 'state' })),
    cell({}, part('open', 'button', { type: 'button', class: 'name', 'aria-expanded': 'false', 'aria-controls': 'why' },
      part('name', 'strong'), part('queue', 'small'))),
    cell({ class: 'backlog' }, spark, element('div', {}, part('count', 'span'), part('flight', 'small'))),
    cell({}, part('age', 'span'), part('meter', 'div', { class: 'meter', 'aria-hidden': 'true' }, part('bar', 'i'))),
    cell({}, part('asked', 'span'), part('plain', 'small')),
    cell({}, part('bound', 'span')), cell({ class: 'number' }, part('seen', 'span')));
})();

function makeRow(id) {
  const node = PATTERN.cloneNode(true);
  node.dataset.id = id;
  const part = {};
  for (const made of node.querySelectorAll('[data-part]')) part[made.dataset.part] = made;
  return { node, part };
}

function show(entry) {
  const { row, part, node } = entry;
  node.dataset.trouble = row.trouble;
  part.state.textContent = LABEL[row.trouble] ?? row.trouble;
  part.name.textContent = `${row.namespace}/${row.name}`;
  part.queue.textContent = `${row.queue} · ${row.region}${row.mode === 'plain' ? '' : ` · ${row.mode}`}`;
  part.count.textContent = whole(row.visible_messages);
  part.flight.textContent = row.in_flight_messages ? `+ ${whole(row.in_flight_messages)} in flight` : '';
  const path = lines(row.backlog.length ? row.backlog : [0], Math.max(...row.backlog, 1));
  part.line.setAttribute('d', path.line);
  part.area.setAttribute('d', path.area);
  showAge(entry);
  part.asked.textContent = whole(row.replicas);
  const others = [row.ready_replicas === null ? '' : `${row.ready_replicas} ready`];
  if (row.mode === 'live') others.push(`aws-sqs-queue: ${whole(row.plain_replicas)}`);
  if (row.mode === 'shadow') others.push(`law: ${whole(row.law_replicas)}`);
  part.plain.textContent = others.filter(Boolean).join(' · ');
  part.bound.textContent = BOUND[row.bound_by] ?? '–';
  showSeen(entry);
}

function showAge({ row, part }) {
  const { oldest_age_seconds: age, target_wait_seconds: target } = row;
  part.meter.hidden = target === null;
  part.age.textContent = target === null ? '–' : `${seconds(age ?? 0)} of ${seconds(target)}`;
  if (target !== null) part.bar.style.width = `${Math.min(100, (100 * (age ?? 0)) / target)}%`;
}

function showSeen({ row, part, at }) {
  const passed = (performance.now() - at) / 1000;
  part.seen.textContent = row.observation_age_seconds === null ? 'never' : seconds(Math.floor(row.observation_age_seconds + passed));
}

function take(news) {
  if (news.is_all) { rows.clear(); byId('rows').replaceChildren(); }
  for (const id of news.gone) { rows.get(id)?.node.remove(); rows.delete(id); }
  const fresh = document.createDocumentFragment();
  for (const row of news.rows) {
    let entry = rows.get(row.id);
    if (!entry) {
      entry = makeRow(row.id);
      rows.set(row.id, entry);
    }
    entry.row = row;
    entry.at = performance.now();
    entry.words = `${row.namespace}/${row.name} ${row.queue} ${row.region}`.toLowerCase();
    show(entry);
    if (!entry.node.isConnected) fresh.append(entry.node);
  }
  const isNew = fresh.childElementCount > 0;
  if (isNew) {
    // Sorted before they are laid out for the first time.
    fresh.replaceChildren(...[...fresh.children].sort((one, other) => inOrder(rows.get(one.dataset.id), rows.get(other.dataset.id))));
    byId('rows').append(fresh);
  }
  filter();
  order(isNew);
  summarise(news.left_out);
}

function inOrder(one, other) {
  const lateness = ({ row }) => (row.target_wait_seconds ? (row.oldest_age_seconds ?? 0) / row.target_wait_seconds : 0);
  return RANK[one.row.trouble] - RANK[other.row.trouble]
    || Math.round(lateness(other) * 4) - Math.round(lateness(one) * 4)
    || (other.row.visible_messages ?? 0) - (one.row.visible_messages ?? 0)
    || (one.words < other.words ? -1 : 1);
}

function order(isForced) {
  const list = byId('rows');
  const isBusy = list.matches(':hover') || list.contains(document.activeElement);
  if (!isForced && (isBusy || performance.now() - shown.orderedAt < ORDER_EVERY_MS)) return;
  shown.orderedAt = performance.now();
  let next = list.firstElementChild;
  for (const { node } of [...rows.values()].sort(inOrder)) {
    if (node === next) next = next.nextElementSibling;
    else list.insertBefore(node, next);
  }
}

function filter() {
  let visible = 0;
  for (const { node, row, words } of rows.values()) {
    const isShown = (!shown.state || row.trouble === shown.state) && words.includes(shown.text);
    if (node.hidden === isShown) node.hidden = !isShown;
    if (node.style.display !== (isShown ? '' : 'none')) node.style.display = isShown ? '' : 'none';
    visible += isShown ? 1 : 0;
  }
  const empty = byId('empty');
  empty.hidden = visible > 0;
  empty.textContent = rows.size ? 'Nothing matches.' : 'KEDA has not asked about any queue yet.';
}

function summarise(leftOut) {
  const counts = Object.fromEntries(STATES.map(([state]) => [state, 0]));
  for (const { row } of rows.values()) counts[row.trouble] += 1;
  const wrong = counts.cannot_observe + counts.late + counts.warning;
  const beyond = leftOut ? `, ${whole(leftOut)} more are not shown` : '';
  const summary = `${whole(rows.size)} ${rows.size === 1 ? 'queue' : 'queues'}, ${wrong ? `${whole(wrong)} to look at` : 'all well'}${beyond}`;
  if (byId('summary').textContent !== summary) byId('summary').textContent = summary;
  document.title = wrong ? `(${wrong}) Sluice` : 'Sluice';
  for (const button of byId('filters').children) button.lastChild.textContent = whole(counts[button.dataset.state] ?? rows.size);
}

// --- why --------------------------------------------------------------------------------------------

function choose(id) {
  rows.get(shown.chosen)?.part.open.setAttribute('aria-expanded', 'false');
  rows.get(shown.chosen)?.node.classList.remove('chosen');
  clearTimeout(shown.reportTimer);
  shown.chosen = id;
  const entry = rows.get(id);
  document.querySelector('main').classList.toggle('open', Boolean(entry));
  byId('why').hidden = !entry;
  if (!entry) return;
  entry.part.open.setAttribute('aria-expanded', 'true');
  entry.node.classList.add('chosen');
  byId('why').replaceChildren(element('p', { class: 'empty' }, 'Reading …'));
  report(id).then(() => byId('why').focus({ preventScroll: true }));
}

function close() {
  const entry = rows.get(shown.chosen);
  choose(null);
  entry?.part.open.focus();
}

async function report(id) {
  const { row } = rows.get(id) ?? {};
  if (!row || shown.chosen !== id) return;
  const path = `/api/v1/scaledobjects/${encodeURIComponent(row.namespace)}/${encodeURIComponent(row.name)}`;
  try {
    const answer = await fetch(path);
    const object = await answer.json();
    if (shown.chosen === id) explain(row, object, path);
  } catch {
    if (shown.chosen === id) byId('why').replaceChildren(element('p', { class: 'empty' }, 'The scaler does not answer.'));
  }
  shown.reportTimer = setTimeout(report, REPORT_EVERY_MS, id);
}

function explain(row, object, path) {
  const panel = byId('why');
  const scrolled = panel.scrollTop;
  const hadFocus = panel.contains(document.activeElement) && document.activeElement !== panel;
  const closing = element('button', { type: 'button', class: 'quiet', 'aria-label': 'Close' }, '✕');
  closing.addEventListener('click', close);
  const triggers = (object.triggers ?? []).filter(({ queue }) => queue.name === row.queue && queue.region === row.region);
  panel.setAttribute('aria-label', `Why ${row.namespace}/${row.name}`);
  panel.replaceChildren(
    element('header', {}, element('div', {}, element('h2', {}, `${row.namespace}/${row.name}`), element('small', {}, `${row.queue} · ${row.region}`)), closing),
    ...(triggers.length ? triggers.slice(0, 1).map(reasons) : [element('p', { class: 'empty' }, object.error ?? 'Not asked about any more.')]),
    element('h3', {}, 'On the command line'), element('p', {}, element('code', {}, `sluice explain ${row.namespace}/${row.name}`)),
    element('p', {}, element('a', { href: path }, 'As JSON')));
  panel.scrollTop = scrolled;
  if (hadFocus) closing.focus();
}

function reasons(trigger) {
  const { decision } = trigger;
  const part = element('div');
  if (decision) {
    const plural = decision.replicas === 1 ? 'replica' : 'replicas';
    part.append(
      element('p', { class: 'told' }, element('b', {}, whole(decision.replicas)), ` ${plural} asked for, ${decision.is_active ? 'active' : 'inactive'}`),
      element('ul', { class: 'reason' }, ...decision.explanation.split('; ').filter((reason) => !reason.startsWith('aws-sqs-queue')).map((reason) => element('li', {}, reason))),
      element('p', {}, element('small', {}, `aws-sqs-queue would say ${whole(decision.plain.replicas)}`)));
    if (decision.law_explanation) {
      part.append(element('h3', {}, 'What the law would ask for'),
        element('ul', { class: 'reason' }, ...decision.law_explanation.split('; ').map((reason) => element('li', {}, reason))));
    }
  } else part.append(element('p', { class: 'told' }, 'Not decided yet.'));
  if (trigger.warnings.length) {
    part.append(element('h3', {}, 'Warnings'), element('ul', { class: 'warnings' },
      ...trigger.warnings.map(({ severity, text }) => element('li', { 'data-severity': severity }, text))));
  }
  part.append(...charts(trigger), element('h3', {}, 'What is known'), facts(trigger));
  return part;
}

function charts({ history, policy }) {
  if (!history.length) return [];
  const of = (key) => history.map((point) => point[key] ?? 0);
  const target = policy.target_wait_seconds;
  const all = [
    chart('Messages', [['waiting', of('visible_messages')], ['in flight', of('in_flight_messages'), 'other']], history, whole),
    chart('Replicas', [['asked for', of('replicas')], ['aws-sqs-queue', of('plain_replicas'), 'other']], history, whole),
  ];
  if (target) all.push(chart('Oldest message', [['age', of('oldest_age_seconds')], ['target', history.map(() => target), 'target']], history, seconds));
  return all.flat();
}

function chart(title, series, history, words) {
  const most = Math.max(...series.flatMap(([, values]) => values));
  const svg = element('svg', { class: 'chart', viewBox: '0 0 100 100', preserveAspectRatio: 'none', role: 'img',
    'aria-label': `${title} over the last hour: ${series.map(([name, values]) => `${name} ${words(values.at(-1))}, at most ${words(Math.max(...values))}`).join('; ')}` });
  series.forEach(([, values, kind], index) => {
    const path = lines(values, most);
    if (!index) svg.append(element('path', { class: 'fill', d: path.area }));
    svg.append(element('path', { class: `line ${kind ?? ''}`, d: path.line }));
  });
  const began = (history.at(-1).at_seconds - history[0].at_seconds);
  return [element('h3', {}, `${title}, at most ${words(most)}`), svg,
    element('p', { class: 'axis', 'aria-hidden': 'true' }, element('span', {}, began ? `${seconds(began)} ago` : ''), element('span', {}, 'now')),
    element('p', { class: 'legend', 'aria-hidden': 'true' }, ...series.map(([name, , kind]) => element('span', {}, element('i', { class: kind ?? '' }), name)))];
}

function facts(trigger) {
  const { observation, estimate, policy, decision, minutes, balance } = trigger;
  const known = [
    ['Seen', observation && `${seconds(observation.age_seconds)} ago`],
    ['KEDA asked', `${seconds(trigger.asked_age_seconds)} ago`],
    ['Waiting', observation && whole(observation.visible_messages)],
    ['In flight', observation && whole(observation.in_flight_messages)],
    ['Delayed', observation?.delayed_messages ? whole(observation.delayed_messages) : null],
    ['Messages per replica', whole(policy.queue_length)],
    ['Target wait', policy.target_wait_seconds && seconds(policy.target_wait_seconds)],
    ['Noisy tenants may wait', policy.noisy_wait_seconds && seconds(policy.noisy_wait_seconds)],
    ['Waiting for noisy tenants', estimate?.noisy_visible_messages && whole(estimate.noisy_visible_messages)],
    ['A message takes', estimate && (estimate.message_seconds === null ? 'not known yet' : `${estimate.message_is_at_most ? 'at most ' : ''}${seconds(estimate.message_seconds)} (${estimate.message_confidence} confidence)`)],
    ['Arrive', estimate && `${estimate.arrivals_per_second.toFixed(2)} a second`],
    ['A replica works on', estimate && `${estimate.concurrency.toFixed(1)} at once`],
    ['Backlog to be gone in', decision?.horizon_seconds && seconds(decision.horizon_seconds)],
    ['Ready replicas', trigger.ready_replicas],
    ['Visibility timeout', observation?.visibility_timeout_seconds && seconds(observation.visibility_timeout_seconds)],
    ['Dead letters', observation?.dead_letter_queue && `${whole(observation.dead_letters)} in ${observation.dead_letter_queue}`],
    ['CloudWatch', minutes && (minutes.reason ?? minutes.state)],
    [policy.mode === 'shadow' ? 'The law would save' : 'The law saved', balance && `${replicaHours(balance.saved_replica_seconds)} in ${seconds(balance.seconds)}`],
    [policy.mode === 'shadow' ? 'and would add' : 'and added', balance && replicaHours(balance.added_replica_seconds)],
    ['Late for', balance && seconds(balance.late_seconds)],
  ];
  const told = known.filter(([, value]) => value !== null && value !== undefined && value !== false && value !== 0);
  return element('dl', {}, ...told.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, String(value))]));
}

const replicaHours = (value) => `${(value / 3600).toFixed(value < 36000 ? 2 : 0)} replica-hours`;

// --- what people do ---------------------------------------------------------------------------------

function makeFilters() {
  for (const [state, label] of [[null, 'all'], ...STATES]) {
    const button = element('button', { type: 'button', 'aria-pressed': String(state === null), 'data-state': state ?? 'all' }, `${label} `, element('b', {}, '0'));
    button.addEventListener('click', () => {
      shown.state = state;
      for (const other of byId('filters').children) other.setAttribute('aria-pressed', String(other === button));
      filter();
    });
    byId('filters').append(button);
  }
}

function move(by) {
  const buttons = [...rows.values()].filter(({ node }) => node.style.display !== 'none').map(({ node }) => node);
  const inPlace = [...byId('rows').children].filter((node) => buttons.includes(node));
  const at = inPlace.indexOf(document.activeElement?.closest('.row'));
  const next = inPlace[Math.min(inPlace.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
  next?.querySelector('.name').focus();
}

function onKey(event) {
  const isTyping = event.target === byId('search');
  if (event.key === 'Escape' && shown.chosen) close();
  else if (event.key === 'Escape' && isTyping) { byId('search').value = ''; shown.text = ''; filter(); }
  else if (event.key === '/' && !isTyping) byId('search').focus();
  else if (event.key === 'ArrowDown' && !byId('why').contains(event.target)) move(1);
  else if (event.key === 'ArrowUp' && !isTyping && !byId('why').contains(event.target)) move(-1);
  else return;
  event.preventDefault();
}

function onTheme() {
  const isDark = matchMedia('(prefers-color-scheme: dark)').matches;
  const root = document.documentElement;
  root.dataset.theme = (root.dataset.theme ?? (isDark ? 'dark' : 'light')) === 'dark' ? 'light' : 'dark';
  try { localStorage.setItem('theme', root.dataset.theme); } catch { /* Then it is not remembered. */ }
}

function listen() {
  const source = new EventSource('/events');
  const say = (state, text) => { byId('live').dataset.state = state; byId('live-text').textContent = text; };
  source.addEventListener('open', () => say('live', 'live'));
  source.addEventListener('rows', (event) => take(JSON.parse(event.data)));
  source.addEventListener('error', () => {
    say('lost', 'connection lost');
    // A browser gives up when it is refused; the server may only be full or restarting.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 5000);
  });
}

function start() {
  try { const theme = localStorage.getItem('theme'); if (theme) document.documentElement.dataset.theme = theme; } catch { /* Then as the system is. */ }
  makeFilters();
  byId('theme').addEventListener('click', onTheme);
  byId('search').addEventListener('input', (event) => { shown.text = event.target.value.trim().toLowerCase(); filter(); });
  byId('rows').addEventListener('click', (event) => {
    const id = event.target.closest('.row')?.dataset.id;
    if (id) choose(id === shown.chosen ? null : id);
  });
  document.addEventListener('keydown', onKey);
  setInterval(() => { for (const entry of rows.values()) showSeen(entry); }, AGES_EVERY_MS);
  listen();
}

start();
