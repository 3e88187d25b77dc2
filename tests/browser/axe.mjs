// axe-core on every page, light and dark. Prints `ok: …` for each page without a violation.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { PAGES, browser, call, enter, life, mail, press, url } from './site.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const chromium = await browser();
const page = await chromium.newPage();
// The engine is put in by the debugger; the pages' own policy would not let it.
await page.setBypassCSP(true);
await page.setViewport({ width: 1280, height: 900 });
const found = [];

async function judge(name) {
  for (const theme of ['light', 'dark']) {
    await page.emulateMediaFeatures([
      { name: 'prefers-color-scheme', value: theme }, { name: 'prefers-reduced-motion', value: 'reduce' },
    ]);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { iframes: false }));
    for (const one of violations) {
      found.push(`${name} (${theme}): ${one.id}: ${one.help}\n  ${one.nodes.map((node) => node.html).slice(0, 3).join('\n  ')}`);
    }
  }
  console.log(`ok: ${name} was judged`);
}

await page.goto(`${url}/dashboard/sign-in`);
await judge('sign-in');
await page.goto(`${url}/dashboard/sign-in/code`);
await judge('code');
await page.goto(process.env.POSTERN_INVITATION);
await judge('invite');
await enter(page, process.env.POSTERN_INVITATION);
await life();
await new Promise((resolve) => { setTimeout(resolve, 2000); });
for (const [name, path] of PAGES) {
  await page.goto(url + path);
  await judge(name);
}
await page.goto(`${url}/dashboard/logs`);
await press(page, 'katherine@example.com');
await judge('log-detail');
await call('send', { email: 'mary@example.com' });
await page.goto(`${url}/dashboard/inbox/${(await mail('mary@example.com')).id}`);
await judge('mail');
await page.goto(`${url}/dashboard/none`);
await page.goto(`${url}/dashboard/logs/req_none`);
await judge('not-found');
await chromium.close();
if (found.length > 0) {
  console.error(found.join('\n'));
  process.exit(1);
}
