// Every page, light and dark, wide and narrow: `cargo xtask screenshots`.
import { mkdirSync } from 'node:fs';
import { PAGES, browser, call, enter, life, mail, press, says, url } from './site.mjs';

const folder = process.env.SHOTS;
mkdirSync(folder, { recursive: true });
const chromium = await browser();
const page = await chromium.newPage();
const STILL = { name: 'prefers-reduced-motion', value: 'reduce' };
const SIZES = { wide: { width: 1280, height: 860 }, narrow: { width: 360, height: 740 } };

async function shoot(name) {
  for (const theme of ['light', 'dark']) {
    await page.emulateMediaFeatures([STILL, { name: 'prefers-color-scheme', value: theme }]);
    for (const [size, view] of Object.entries(SIZES)) {
      await page.setViewport(view);
      await page.screenshot({ path: `${folder}/${name}-${theme}-${size}.png`, fullPage: true });
    }
  }
  await page.setViewport(SIZES.wide);
}

await page.goto(`${url}/dashboard/sign-in`);
await shoot('sign-in');
await page.goto(process.env.POSTERN_INVITATION);
await shoot('invite');
await enter(page, process.env.POSTERN_INVITATION);
await page.goto(`${url}/dashboard`);
await shoot('overview-empty');
await life();
await new Promise((resolve) => setTimeout(resolve, 2500));
for (const [name, path] of PAGES) {
  await page.goto(url + path);
  await shoot(name);
}
await page.goto(`${url}/dashboard/logs`);
await press(page, 'katherine@example.com');
await shoot('log-detail');
await call('send', { email: 'mary@example.com' });
const one = await mail('mary@example.com');
await page.goto(`${url}/dashboard/inbox/${one.id}`);
await shoot('mail');
await page.goto(`${url}/dashboard/applications`);
await press(page, 'Rotate the secret of development');
await shoot('rotate');
await press(page, 'Rotate');
await says(page, 'Copy the secret now');
await shoot('secret');
await page.goto(`${url}/dashboard/nothing`);
await chromium.close();
