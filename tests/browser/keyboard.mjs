// The keyboard alone: every page is walked with Tab, everything that can be used is reached, and what has
// the focus shows it. Then a sign-in without a mouse. Prints `ok: …` for each sentence that holds.
import assert from 'node:assert/strict';
import { PAGES, browser, enter, life, mail, says, url } from './site.mjs';

const chromium = await browser();
const page = await chromium.newPage();
await page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }]);
await enter(page, process.env.POSTERN_INVITATION);
await life();

/** Marks everything that somebody could use, and answers how many there are. */
const mark = () => page.evaluate(() => {
  const usable = 'a[href], button:not(:disabled), input:not([type="hidden"]):not(:disabled), select:not(:disabled), textarea:not(:disabled), summary, iframe, [tabindex="0"]';
  const seen = (one) => {
    const box = one.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && one.checkVisibility({ visibilityProperty: true });
  };
  const groups = new Set();
  let count = 0;
  for (const one of document.querySelectorAll(usable)) {
    if (!seen(one)) continue;
    // Of a group of radio buttons, Tab reaches the chosen one; arrows reach the others.
    if (one.type === 'radio') {
      if (groups.has(one.name) || !one.checked) continue;
      groups.add(one.name);
    }
    one.dataset.wanted = 'yes';
    count += 1;
  }
  return count;
});

/** What has the focus: whether it was wanted, and whether one sees that it has it. */
const focused = () => page.evaluate(() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const marked = one.dataset.wanted === 'yes';
  delete one.dataset.wanted;
  const rings = [one, one.closest('label')].filter(Boolean).map((part) => getComputedStyle(part));
  const ring = rings.some((style) => (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2) || (style.outlineStyle === 'auto'));
  const box = one.getBoundingClientRect();
  const inside = box.bottom > 0 && box.top < innerHeight;
  return { marked, ring, inside, name: `${one.tagName} ${one.id || one.name || one.innerText?.slice(0, 30)}` };
});

for (const [width, height] of [[1280, 900], [360, 740]]) {
  await page.setViewport({ width, height });
  for (const [name, path] of PAGES) {
    await page.goto(url + path + (path.includes('?') ? '&' : '?') + 'live=off');
    const count = await mark();
    let reached = 0;
    for (let presses = 0; presses < count + 40 && reached < count; presses += 1) {
      await page.keyboard.press('Tab');
      const here = await focused();
      if (!here) continue;
      if (here.marked) reached += 1;
      if (here.name.startsWith('IFRAME')) continue;
      assert.ok(here.ring, `${name}, ${width}: ${here.name} does not show its focus`);
      assert.ok(here.inside, `${name}, ${width}: ${here.name} has the focus out of sight`);
    }
    const lost = await page.evaluate(() => [...document.querySelectorAll('[data-wanted]')].map((one) => one.outerHTML.slice(0, 120)));
    assert.deepEqual(lost, [], `${name}, ${width}`);
  }
  console.log(`ok: at ${width} pixels Tab reaches everything on every page, and one sees where it is`);
}

await page.setViewport({ width: 360, height: 740 });
await page.goto(`${url}/dashboard`);
await page.focus('.menu summary');
await page.keyboard.press('Enter');
await page.keyboard.press('Tab');
assert.equal(await page.evaluate(() => document.activeElement.closest('.menu nav') !== null), true);
await page.keyboard.press('Escape');
assert.equal(await page.evaluate(() => document.activeElement.matches('.menu summary') && !document.querySelector('.menu').open), true);
console.log('ok: the small menu opens, is walked and closes by the keyboard');

await page.setViewport({ width: 1280, height: 900 });
const fresh = await (await chromium.createBrowserContext()).newPage();
/** Types where the focus is, once the page has put it into a field. */
async function typed(text) {
  await fresh.waitForFunction(() => document.activeElement.matches('input'));
  await fresh.keyboard.type(text);
}
await fresh.goto(`${url}/dashboard/sign-in?to=/dashboard/logs`);
await typed('owner@example.com');
await Promise.all([fresh.waitForNavigation(), fresh.keyboard.press('Enter')]);
await typed((await mail('owner@example.com')).otp);
await Promise.all([fresh.waitForNavigation(), fresh.keyboard.press('Enter')]);
await says(fresh, 'Authentication logs');
console.log('ok: signing in takes no mouse: the fields have the focus when the pages come');
await chromium.close();
