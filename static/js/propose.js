// Proposes category, unit and place for what is being typed, as chips that change the form's own fields with one tap.
// Asks at most once a second, drops an answer that is out of date, and says nothing where it fails: the form needs none of it.
const PAUSE = 600;
const LEAST_APART = 1000;
const box = document.querySelector('[data-propose]');

function chip(proposal, select) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'chip-tap';
  button.textContent = proposal.label;
  button.dataset.value = proposal.value;
  button.addEventListener('click', () => {
    select.value = select.value === proposal.value ? '' : proposal.value;
    select.dispatchEvent(new Event('change', { bubbles: true }));
  });
  return button;
}

function showChosen(row, select) {
  row.querySelectorAll('button').forEach(button => {
    button.setAttribute('aria-pressed', String(button.dataset.value === select.value));
  });
}

function start(form) {
  const text = form.elements.text;
  const rows = Array.from(box.querySelectorAll('[data-for]')).map(row => ({
    row: row, name: row.dataset.for, select: form.elements[row.dataset.for === 'categories' ? 'category' : 'area'] }));
  const urgency = box.querySelector('[data-urgency]');
  let timer = 0;
  let last = 0;
  let asked = '';
  let request = null;

  const show = found => {
    rows.forEach(({ row, name, select }) => {
      const known = found[name].filter(one => Array.from(select.options).some(option => option.value === one.value));
      const list = row.querySelector('[data-chips]');
      if (JSON.stringify(known) !== row.dataset.shown) {
        list.textContent = '';
        known.forEach(one => list.appendChild(chip(one, select)));
        row.dataset.shown = JSON.stringify(known);
      }
      row.hidden = !known.length;
      showChosen(row, select);
    });
    urgency.textContent = found.urgency;
    urgency.hidden = !found.urgency;
    box.hidden = !found.urgency && rows.every(({ row }) => row.hidden);
  };

  const ask = () => {
    timer = 0;
    const body = new URLSearchParams();
    const chosen = form.querySelector('[name=urgency]:checked');
    body.set('text', text.value);
    body.set('area', form.elements.area.value);
    body.set('urgency', chosen ? chosen.value : '');
    if (body.toString() === asked) return;
    if (!text.value.trim()) {
      asked = '';
      box.hidden = true;
      return;
    }
    asked = body.toString();
    last = Date.now();
    if (request) request.abort();
    request = new AbortController();
    body.set('csrf_token', form.elements.csrf_token.value);
    fetch(box.dataset.propose, { method: 'POST', body: body, signal: request.signal, credentials: 'same-origin', redirect: 'error' })
      .then(answer => (answer.ok ? answer.json() : Promise.reject(answer.status)))
      .then(found => { if (text.value.trim()) show(found); })
      .catch(() => { /* No proposals: whoever types chooses, or the catalogue does. */ });
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, Math.max(PAUSE, last + LEAST_APART - Date.now()));
  };

  form.addEventListener('input', soon);
  form.addEventListener('change', () => {
    rows.forEach(({ row, select }) => showChosen(row, select));
    soon();
  });
  if (text.value.trim()) soon();
}

if (box && typeof AbortController === 'function') start(box.closest('form'));
