// Keeps what is typed into a form[data-draft] on this device until its receipt page says it arrived, and gives each draft
// one idempotency key, so that sending it twice makes one ticket. Works on plain http; the page works without this file.
const PREFIX = 'zhida.draft.';
const KEEP_DAYS = 14;
const owner = document.body.dataset.owner || '';

function store() {
  try {
    localStorage.setItem(PREFIX + 'try', '1');
    localStorage.removeItem(PREFIX + 'try');
    return localStorage;
  } catch (refused) {
    return null;
  }
}

const box = store();
const nameOf = key => PREFIX + owner + '.' + key;

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('');
}

function read(key) {
  try {
    return JSON.parse(box.getItem(nameOf(key))) || null;
  } catch (damaged) {
    return null;
  }
}

function write(key, draft) {
  try {
    box.setItem(nameOf(key), JSON.stringify(draft));
    return true;
  } catch (full) {
    return false;
  }
}

// Another person's drafts, and old ones, don't stay on a shared computer.
function sweep() {
  const oldest = Date.now() - KEEP_DAYS * 86400000;
  Object.keys(box).filter(name => name.startsWith(PREFIX)).forEach(name => {
    let at = 0;
    try {
      at = JSON.parse(box.getItem(name)).at || 0;
    } catch (damaged) { /* dropped below */ }
    const another = owner && !name.startsWith(PREFIX + owner + '.');
    if (another || at < oldest) box.removeItem(name);
  });
}

function fields(form) {
  return Array.from(form.elements).filter(el =>
    el.name && !['hidden', 'password', 'file', 'submit', 'button'].includes(el.type) && el.dataset.noDraft === undefined);
}

function isTouched(el) {
  if (el.type === 'checkbox' || el.type === 'radio') return el.checked !== el.defaultChecked;
  if (el.tagName === 'SELECT') return Array.from(el.options).some(option => option.selected !== option.defaultSelected);
  return el.value !== el.defaultValue;
}

function collect(form) {
  return fields(form).map(el => {
    if (el.type === 'checkbox' || el.type === 'radio') return [el.name, el.value, el.checked];
    return [el.name, el.value];
  });
}

// What the server sent back (a refused form) is newer than the draft; only untouched empty fields are filled.
function restore(form, rows) {
  let changed = false;
  rows.forEach(([name, value, checked]) => {
    fields(form).filter(el => el.name === name).forEach(el => {
      if (el.type === 'checkbox' || el.type === 'radio') {
        if (el.value === value && el.checked !== checked) {
          el.checked = checked;
          changed = true;
        }
      } else if (value && !(el.tagName === 'SELECT' ? false : el.value) && el.value !== value) {
        el.value = value;
        changed = true;
      }
    });
  });
  return changed;
}

function watch(form) {
  const key = form.dataset.draft;
  const note = form.querySelector('[data-draft-note]');
  const tell = words => {
    if (note) {
      note.textContent = words;
      note.hidden = false;
    }
  };
  const refused = form.querySelector('[aria-invalid]') !== null;
  const hidden = form.querySelector('[name=idempotency_key]');
  const old = read(key) || {};
  const draft = { key: old.key || (hidden && hidden.value) || newKey(), rows: old.rows || [], at: old.at || Date.now() };
  if (hidden) hidden.value = draft.key;
  if (!refused && restore(form, draft.rows)) {
    tell(note ? note.dataset.back : '');
    form.dispatchEvent(new Event('change', { bubbles: true }));
  }

  let timer = 0;
  const keep = () => {
    clearTimeout(timer);
    timer = 0;
    if (!fields(form).some(isTouched)) return;
    draft.rows = collect(form);
    draft.at = Date.now();
    if (write(key, draft)) tell(note ? note.dataset.kept : '');
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(keep, 400);
  };
  form.addEventListener('input', soon);
  form.addEventListener('change', soon);
  // Without a network the browser would leave the page for one of its own. We say so first; a second press goes all the same,
  // because a device may be wrong about its network.
  let warned = false;
  addEventListener('online', () => { warned = false; });
  form.addEventListener('submit', event => {
    keep();
    if (navigator.onLine || warned || !note) return;
    warned = true;
    event.preventDefault();
    event.stopImmediatePropagation();
    tell(note.dataset.offline);
  });
  addEventListener('pagehide', () => { if (timer) keep(); });
  document.addEventListener('visibilitychange', () => { if (document.hidden && timer) keep(); });
}

if (box) {
  sweep();
  document.querySelectorAll('[data-draft-clear]').forEach(el => box.removeItem(nameOf(el.dataset.draftClear)));
  document.querySelectorAll('form[data-draft]').forEach(watch);
}
