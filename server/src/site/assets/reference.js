// Finds operations by words and sends them to this server, with the credential typed above. Keeps nothing.
const find = document.getElementById('find');
const cards = [...document.querySelectorAll('details.operation')];

find.addEventListener('input', () => {
  const words = find.value.toLowerCase().split(/\s+/);
  for (const card of cards) {
    const text = `${card.id} ${card.querySelector('summary').textContent}`.toLowerCase();
    card.hidden = !words.every((word) => text.includes(word));
  }
  for (const section of document.querySelectorAll('main section')) {
    section.hidden = !section.querySelector('details:not([hidden])');
  }
  document.getElementById('none').hidden = cards.some((card) => !card.hidden);
});

const typed = (id) => document.getElementById(id).value;

/** In the form of HTTP Basic, also for signs beyond ASCII. */
const basic = () => btoa(String.fromCharCode(...new TextEncoder().encode(`${typed('key')}:${typed('secret')}`)));

function requestOf(form) {
  let target = form.dataset.path;
  const query = new URLSearchParams();
  for (const input of form.querySelectorAll('input')) {
    if (input.dataset.in === 'path') target = target.replace(`{${input.name}}`, encodeURIComponent(input.value));
    else if (input.value !== '') query.set(input.name, input.value);
  }
  const headers = {};
  if (form.dataset.auth === 'key') headers.Authorization = `Basic ${basic()}`;
  if (form.dataset.auth === 'operator') headers.Authorization = `Bearer ${typed('token')}`;
  const body = form.querySelector('textarea')?.value;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const asked = query.size === 0 ? target : `${target}?${query}`;
  return { target: asked, init: { method: form.dataset.method, headers, body } };
}

async function send(form) {
  const { target, init } = requestOf(form);
  const shown = form.querySelector('pre');
  shown.hidden = false;
  shown.firstChild.textContent = '…';
  try {
    const reply = await fetch(target, init);
    const text = await reply.text();
    const isJson = reply.headers.get('content-type')?.startsWith('application/json');
    shown.firstChild.textContent = `${reply.status}\n${isJson ? JSON.stringify(JSON.parse(text), null, 2) : text}`;
  } catch (error) {
    shown.firstChild.textContent = `no answer: ${error.message}`;
  }
}

for (const form of document.querySelectorAll('details form')) {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void send(form);
  });
}

// A link to one operation opens it.
document.getElementById(location.hash.slice(1))?.setAttribute('open', '');
