// Copying, the keyboard's way out of menus and questions, the way to a line, and the live preview. Everything else works
// without a script.
'use strict';
document.querySelectorAll('button[data-copy]').forEach((button) => { button.hidden = false; });
document.addEventListener('click', async (event) => {
  const button = event.target.closest('button[data-copy]');
  if (!button) return;
  const copied = document.getElementById(button.dataset.copy);
  const text = copied.textContent.trim();
  const label = button.dataset.label || button.textContent;
  button.dataset.label = label;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
  } catch {
    // Nothing that is folded away can be selected.
    const folded = copied.closest('details');
    if (folded) folded.open = true;
    const range = document.createRange();
    range.selectNodeContents(copied);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    button.textContent = 'Selected: press Ctrl+C';
  }
  setTimeout(() => { button.textContent = label; }, 2500);
});
document.addEventListener('keydown', (event) => {
  const opened = document.querySelector('details.menu[open], details.ask[open], details.sure[open]');
  if (event.key !== 'Escape' || !opened) return;
  opened.open = false;
  opened.querySelector('summary').focus();
});
// What lint found leads to its field; with a script, to its line too.
document.addEventListener('click', (event) => {
  const link = event.target.closest('a[data-line]');
  const area = link && document.querySelector(`textarea${link.hash}`);
  if (!area) return;
  event.preventDefault();
  const lines = area.value.split('\n');
  const line = Math.min(Number(link.dataset.line), lines.length) - 1;
  const start = lines.slice(0, line).join('\n').length + (line > 0 ? 1 : 0);
  area.focus();
  area.setSelectionRange(start, start + lines[line].length);
  area.scrollTop = (line / lines.length) * area.scrollHeight - area.clientHeight / 3;
});
// The preview is a form's answer in a frame. Each one comes in a frame of its own, so that nothing
// flickers and going back leads away from the page rather than through the previews.
document.querySelectorAll('form[data-live]').forEach((form) => {
  const button = form.querySelector('button[data-preview]');
  let wait;
  let count = 0;
  // What cannot be filled yet, in the middle of a word, is answered by nothing: the last mail that could stays, in grey.
  form.elements.live.value = 'true';
  const show = () => {
    const held = form.querySelectorAll('.stage iframe');
    const before = held[0];
    held.forEach((frame) => { if (frame !== before) frame.remove(); });
    const next = before.cloneNode();
    next.removeAttribute('src');
    // A frame keeps the name it was made with, so the form is aimed at a name that only this one has.
    next.name = `preview-${count += 1}`;
    button.formTarget = next.name;
    next.classList.add('coming');
    before.after(next);
    next.addEventListener('load', () => { next.classList.remove('coming'); before.remove(); }, { once: true });
    form.requestSubmit(button);
  };
  form.addEventListener('input', (event) => {
    clearTimeout(wait);
    wait = setTimeout(show, event.target.matches('textarea, input:not([type="radio"])') ? 500 : 0);
  });
  button.hidden = true;
});
// Where a form leads that was taken, what was kept of it is needed no more.
document.querySelectorAll('[data-kept]').forEach((part) => { sessionStorage.removeItem(`kept:${part.dataset.kept}`); });
// What is typed into a long form is asked for before the page goes, and what was sent is kept until a page tells what
// became of it: a session may have ended meanwhile.
document.querySelectorAll('form[action="/dashboard/sign-out"]').forEach((form) => {
  form.addEventListener('submit', () => { sessionStorage.clear(); });
});
document.querySelectorAll('form[data-keep]').forEach((form) => {
  const key = `kept:${location.pathname}`;
  const typed = [...form.elements].filter((one) => one.name && one.type !== 'hidden' && one.type !== 'submit' && one.type !== 'password' && !one.matches('[name="view"]'));
  let changed = false;
  form.addEventListener('input', () => { changed = true; });
  form.addEventListener('submit', (event) => {
    if (event.submitter && event.submitter.matches('[data-preview]')) return;
    changed = false;
    sessionStorage.setItem(key, JSON.stringify(typed.map((one) => (one.matches('[type="checkbox"], [type="radio"]') ? one.checked : one.value))));
  });
  addEventListener('beforeunload', (event) => { if (changed) event.preventDefault(); });
  const kept = JSON.parse(sessionStorage.getItem(key) || 'null');
  if (!kept) return;
  const told = form.querySelector('[aria-invalid]') || document.querySelector('main > .note:not([data-proved]), .saved');
  if (told || kept.length !== typed.length) {
    sessionStorage.removeItem(key);
    return;
  }
  const note = document.createElement('p');
  note.className = 'note warn row';
  note.setAttribute('role', 'alert');
  note.textContent = 'What you sent last was not saved. ';
  const offer = (label, act) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = label;
    button.addEventListener('click', () => {
      sessionStorage.removeItem(key);
      note.remove();
      act();
    });
    note.append(button, ' ');
  };
  offer('Put it back', () => {
    typed.forEach((one, index) => {
      if (typeof kept[index] === 'boolean') one.checked = kept[index];
      else one.value = kept[index];
    });
    changed = true;
    form.dispatchEvent(new Event('input', { bubbles: true }));
  });
  offer('Forget it', () => {});
  form.before(note);
});
