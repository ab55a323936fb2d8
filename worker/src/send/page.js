// Keeps the counts fresh, and sends without leaving the page. A count that cannot be read is not known, with the reason.
const CALM_SECONDS = 5;
const LIVELY_SECONDS = 2;
// How long after a sending counts are looked at more often.
const LIVELY_FOR_SECONDS = 30;

const byId = (id) => document.getElementById(id);
let livelyUntil = 0;

function show(id, value, reason = '') {
  byId(id).textContent = value;
  byId(`${id}-reason`).textContent = reason;
}

function note(className, text) {
  const element = byId('note');
  element.className = className;
  element.textContent = text;
}

async function ask(path, options) {
  const answer = await fetch(path, { cache: 'no-store', ...options });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error);
  return told;
}

async function refreshOne(id, path, pick) {
  try {
    show(id, pick(await ask(path)));
  } catch (error) {
    show(id, 'not known', error.message);
  }
}

function namePods(pods) {
  byId('names').replaceChildren(...pods.pod_names.map((name) => {
    const item = document.createElement('li');
    item.textContent = name;
    return item;
  }));
  return pods.pod_count;
}

async function refresh() {
  if (!document.hidden) {
    await Promise.all([
      refreshOne('messages', 'get_message_count', (told) => told.message_count),
      refreshOne('pods', 'get_pods', namePods),
      refreshOne('average', 'get_sqs_queue_avg', (told) => told.sqs_queue_avg),
    ]);
  }
  const seconds = Date.now() < livelyUntil ? LIVELY_SECONDS : CALM_SECONDS;
  setTimeout(refresh, seconds * 1000);
}

document.querySelector('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const number = byId('number').value;
  note('', `Sending ${number} messages…`);
  try {
    const told = await ask('send_messages_async', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ number }),
    });
    livelyUntil = Date.now() + LIVELY_FOR_SECONDS * 1000;
    note('done', `${told.message} (${told.pod}).`);
  } catch (error) {
    note('failed', error.message);
  }
});

setTimeout(refresh, LIVELY_SECONDS * 1000);
