// Keys for a list, table[data-keys]: j and k walk the rows, Enter opens (the browser does that), / goes to the search field.
// Can be turned off, and stays off. Coming back to the list puts the reader on the row they opened.
const OFF = 'zhida.keys.off';
const table = document.querySelector('table[data-keys]');
const note = document.querySelector('[data-keys-note]');
const place = 'zhida.place.' + location.pathname + location.search;

function remembered(kind, name, value) {
  try {
    if (value === undefined) return kind.getItem(name);
    return value === null ? kind.removeItem(name) : kind.setItem(name, value);
  } catch (refused) {
    return null;
  }
}

const links = () => Array.from(table.querySelectorAll('a[data-row]'));
const isOff = () => remembered(localStorage, OFF) === '1';

function isTyping(el) {
  return el.isContentEditable || ['INPUT', 'SELECT', 'TEXTAREA'].includes(el.tagName) && el.type !== 'checkbox';
}

function step(by) {
  const rows = links();
  if (!rows.length) return;
  const row = document.activeElement.closest('tr');
  const at = row ? rows.findIndex(link => row.contains(link)) : -1;
  const next = at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + by, 0), rows.length - 1);
  rows[next].focus();
}

function press(event) {
  if (isOff() || event.ctrlKey || event.altKey || event.metaKey || event.isComposing || isTyping(event.target)) return;
  if (event.key === 'j') step(1);
  else if (event.key === 'k') step(-1);
  else if (event.key === '/') {
    const search = document.querySelector('[data-search], input[type=search]');
    if (!search) return;
    search.focus();
    search.select();
  } else return;
  event.preventDefault();
}

function showNote() {
  const button = note.querySelector('[data-keys-toggle]');
  note.querySelector('[data-keys-on]').hidden = isOff();
  button.textContent = isOff() ? button.dataset.on : button.dataset.off;
  note.hidden = false;
}

if (table) {
  document.addEventListener('keydown', press);
  table.addEventListener('click', event => {
    const row = event.target.closest('tr');
    if (row && event.target.closest('a')) remembered(sessionStorage, place, row.id);
  });
  const row = document.getElementById(remembered(sessionStorage, place) || '');
  const link = row && row.querySelector('a[data-row]');
  if (link && !location.hash) {
    remembered(sessionStorage, place, null);
    link.focus();
  }
  if (note) {
    note.querySelector('[data-keys-toggle]').addEventListener('click', () => {
      remembered(localStorage, OFF, isOff() ? null : '1');
      showNote();
    });
    showNote();
  }
}
