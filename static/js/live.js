// On every page: keeps "3 minutes ago" true, asks for the unread count now and then, moves the focus to a refused form's
// summary, opens the action that the address names, and drops drafts at sign-out. Everything here is an extra.
const MINUTE = 60000;
const lang = document.documentElement.lang || 'zh-CN';
const words = window.Intl && Intl.RelativeTimeFormat ? new Intl.RelativeTimeFormat(lang, { numeric: 'auto' }) : null;

function refreshTimes() {
  document.querySelectorAll('time[data-live=ago]').forEach(el => {
    const minutes = Math.round((Date.parse(el.dateTime) - Date.now()) / MINUTE);
    if (isNaN(minutes) || minutes > -1 || minutes < -1439) return;
    const said = minutes > -60 ? words.format(minutes, 'minute') : words.format(Math.ceil(minutes / 60), 'hour');
    el.textContent = said.replace(/(\d)(?=[\u4e00-\u9fff])/g, '$1 ');
  });
}

function showUnread(count) {
  const badge = document.querySelector('[data-unread]');
  if (!badge || !Number.isInteger(count)) return;
  badge.hidden = count < 1;
  badge.querySelector('[data-unread-number]').textContent = count > 99 ? '99+' : String(count);
}

function askUnread() {
  if (document.hidden) return;
  fetch(document.body.dataset.unreadUrl, { credentials: 'same-origin', headers: { Accept: 'application/json' } })
    .then(answer => answer.ok && !answer.redirected ? answer.json() : {})
    .then(found => showUnread(found.unread))
    .catch(() => {});
}

function openNamed() {
  const named = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const box = named && named.closest('details');
  if (!box) return;
  box.open = true;
  const first = box.querySelector('textarea, select, input:not([type=hidden])');
  if (first && named === box) first.focus();
}

if (words) {
  refreshTimes();
  setInterval(refreshTimes, MINUTE);
}
if (document.body.dataset.unreadUrl) setInterval(askUnread, MINUTE);

const refused = document.querySelector('[data-focus]');
if (refused) refused.focus();
openNamed();
addEventListener('hashchange', openNamed);

document.querySelectorAll('form[data-drops-drafts]').forEach(form => form.addEventListener('submit', () => {
  try {
    Object.keys(localStorage).filter(name => name.startsWith('zhida.draft.')).forEach(name => localStorage.removeItem(name));
  } catch (denied) { /* nothing is kept then */ }
}));

document.addEventListener('click', event => {
  document.querySelectorAll('details.menu[open]').forEach(menu => { if (!menu.contains(event.target)) menu.open = false; });
});
document.addEventListener('keydown', event => {
  if (event.key !== 'Escape') return;
  document.querySelectorAll('details.menu[open]').forEach(menu => {
    menu.open = false;
    menu.querySelector('summary').focus();
  });
});
