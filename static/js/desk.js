// Choosing rows of the desk's list: all on the page at once, and x for the row that is looked at. Each box works without it.
const bulk = document.querySelector('[data-bulk]');

function start(form) {
  const all = bulk.querySelector('[data-check-all]');
  const every = all.querySelector('input');
  const boxes = Array.from(form.querySelectorAll('input[name=ticket]'));
  const show = () => {
    const chosen = boxes.filter(box => box.checked).length;
    every.checked = chosen === boxes.length;
    every.indeterminate = chosen > 0 && chosen < boxes.length;
  };
  all.hidden = false;
  every.addEventListener('change', () => boxes.forEach(box => { box.checked = every.checked; }));
  form.addEventListener('change', show);
  document.addEventListener('keydown', event => {
    const row = event.target.closest && event.target.closest('tr');
    const box = row && row.querySelector('input[name=ticket]');
    if (event.key !== 'x' || !box || event.ctrlKey || event.altKey || event.metaKey || event.target.tagName === 'INPUT') return;
    if (localStorageOff()) return;
    box.checked = !box.checked;
    show();
    event.preventDefault();
  });
  show();
}

function localStorageOff() {
  try {
    return localStorage.getItem('zhida.keys.off') === '1';
  } catch (refused) {
    return false;
  }
}

if (bulk) start(bulk.closest('form'));
