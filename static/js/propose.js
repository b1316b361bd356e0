// Proposes category, unit and place for what is being typed, as chips that change the form's own fields with one tap; and shows
// what says the same, each with a way to read it and one button that sends the form and joins.
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

function alike(one, label, join) {
  const item = document.createElement('li');
  const title = document.createElement('p');
  const meta = document.createElement('p');
  const link = document.createElement(one.url ? 'a' : 'span');
  link.textContent = one.title;
  if (one.url) {
    link.href = one.url;
    link.target = '_blank';
    link.rel = 'noopener';
  }
  title.appendChild(link);
  meta.className = 'muted small';
  meta.textContent = one.meta;
  item.append(title, meta);
  if (one.join) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'btn btn-plain';
    button.textContent = label;
    button.addEventListener('click', () => join(one.join));
    item.appendChild(button);
  }
  return item;
}

function start(form) {
  const text = form.elements.text;
  const rows = Array.from(box.querySelectorAll('[data-for]')).map(row => ({
    row: row, name: row.dataset.for, select: form.elements[row.dataset.for === 'categories' ? 'category' : 'area'] }));
  const urgency = box.querySelector('[data-urgency]');
  const same = box.querySelector('[data-alike]');
  const join = into => {
    form.elements.join.value = into;
    if (form.requestSubmit) form.requestSubmit();
    else form.submit();
  };
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
    if (JSON.stringify(found.alike) !== same.dataset.shown) {
      const list = same.querySelector('ul');
      list.textContent = '';
      found.alike.forEach(one => list.appendChild(alike(one, same.dataset.join, join)));
      same.dataset.shown = JSON.stringify(found.alike);
    }
    same.hidden = !found.alike.length;
    urgency.textContent = found.urgency;
    urgency.hidden = !found.urgency;
    box.hidden = !found.urgency && same.hidden && rows.every(({ row }) => row.hidden);
  };

  const ask = () => {
    timer = 0;
    const body = new URLSearchParams();
    const chosen = form.querySelector('[name=urgency]:checked');
    body.set('text', text.value);
    body.set('area', form.elements.area.value);
    body.set('place', form.elements.place.value);
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
  form.addEventListener('click', event => {
    if (event.target.closest('button:not([type=button])')) form.elements.join.value = '';
  });
  if (text.value.trim()) soon();
}

if (box && typeof AbortController === 'function') start(box.closest('form'));
