// Makes photos smaller on the device before they are sent, where the browser can: at most 2560 pixels a side, as JPEG.
// The server takes them as they are too, so whatever fails here leaves the file alone.
const LONGEST = 2560;
const SMALL_ENOUGH = 600000;
const QUALITY = 0.85;

function load(file) {
  const url = URL.createObjectURL(file);
  return new Promise((done, failed) => {
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = failed;
    image.src = url;
  }).finally(() => URL.revokeObjectURL(url));
}

async function smaller(file) {
  if (!file.type.startsWith('image/') || file.type === 'image/gif' || file.size <= SMALL_ENOUGH) return file;
  try {
    const image = await load(file);
    const share = Math.min(1, LONGEST / Math.max(image.naturalWidth, image.naturalHeight));
    const canvas = document.createElement('canvas');
    canvas.width = Math.max(1, Math.round(image.naturalWidth * share));
    canvas.height = Math.max(1, Math.round(image.naturalHeight * share));
    const pen = canvas.getContext('2d');
    pen.fillStyle = '#fff';
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise(done => canvas.toBlob(done, 'image/jpeg', QUALITY));
    if (!blob || blob.size >= file.size) return file;
    return new File([blob], 'photo.jpg', { type: 'image/jpeg' });
  } catch (cannot) {
    return file;
  }
}

async function shrink(input, note) {
  const chosen = Array.from(input.files);
  const ready = [];
  for (const file of chosen) ready.push(await smaller(file));
  if (ready.every((file, at) => file === chosen[at])) return;
  const transfer = new DataTransfer();
  ready.forEach(file => transfer.items.add(file));
  input.files = transfer.files;
  const size = files => (files.reduce((sum, file) => sum + file.size, 0) / 1000000).toFixed(1) + ' MB';
  note.textContent = `${input.dataset.smaller} ${size(chosen)} → ${size(ready)}`;
}

function watch(input) {
  const note = document.createElement('p');
  note.className = 'hint';
  note.setAttribute('role', 'status');
  input.after(note);
  let working = Promise.resolve();
  let isWorking = false;
  input.addEventListener('change', () => {
    note.textContent = '';
    if (input.files.length > 6) {
      input.value = '';
      note.textContent = input.dataset.tooMany;
      return;
    }
    isWorking = true;
    working = shrink(input, note).catch(() => {}).then(() => { isWorking = false; });
  });
  // A form that is sent while photos still become smaller waits for them.
  input.form.addEventListener('submit', event => {
    if (!isWorking) return;
    event.preventDefault();
    const pressed = event.submitter;
    working.then(() => {
      if (input.form.requestSubmit) input.form.requestSubmit(pressed || undefined);
      else input.form.submit();
    });
  });
}

if (window.DataTransfer && HTMLCanvasElement.prototype.toBlob) {
  document.querySelectorAll('input[type=file][data-shrink]').forEach(watch);
}
