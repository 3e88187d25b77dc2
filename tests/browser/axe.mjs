// axe-core on every page, light and dark. Prints `ok: …` for each page without a violation.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { relay } from './relay.mjs';
import { PAGES, browser, call, enter, life, mail, press, save, says, url } from './site.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const chromium = await browser();
const page = await chromium.newPage();
// The engine is put in by the debugger; the pages' own policy would not let it.
await page.setBypassCSP(true);
await page.setViewport({ width: 1280, height: 900 });
const found = [];

async function judge(name) {
  for (const [theme, width] of [['light', 1280], ['dark', 1280], ['dark', 360]]) {
    await page.setViewport({ width, height: 900 });
    await page.emulateMediaFeatures([
      { name: 'prefers-color-scheme', value: theme }, { name: 'prefers-reduced-motion', value: 'reduce' },
    ]);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { iframes: false }));
    for (const one of violations) {
      found.push(`${name} (${theme}, ${width}): ${one.id}: ${one.help}\n  ${one.nodes.map((node) => node.html).slice(0, 3).join('\n  ')}`);
    }
  }
  await page.setViewport({ width: 1280, height: 900 });
  console.log(`ok: ${name} was judged`);
}

await page.goto(`${url}/dashboard/sign-in`);
await judge('sign-in');
await page.goto(`${url}/dashboard/sign-in/code`);
await judge('code');
await page.goto(process.env.POSTERN_INVITATION);
await judge('invite');
await enter(page, process.env.POSTERN_INVITATION);
await page.goto(`${url}/dashboard`);
await judge('overview-empty');
await life();
await new Promise((resolve) => { setTimeout(resolve, 2000); });
for (const [name, path] of PAGES) {
  await page.goto(url + path);
  await judge(name);
}
await page.goto(`${url}/dashboard/logs`);
await says(page, 'katherine@example.com');
await press(page, 'katherine@example.com');
await judge('log-detail');
await call('send', { email: 'mary@example.com' });
await page.goto(`${url}/dashboard/inbox/${(await mail('mary@example.com')).id}`);
await judge('mail');

// What pages show once there is something to show.
await save(page, '/dashboard/emails/add', {
  on: '/dashboard/emails/add?preset=other', name: 'main', from: 'Shop <login@example.com>', host: '127.0.0.1', port: String(await relay()), tls: 'none',
});
await page.click('form[action="/dashboard/emails/test"] button');
await page.waitForSelector('.dialogue');
await judge('emails-tested');
await press(page, 'Remove main');
await judge('email-remove');
await save(page, '/dashboard/emails/add', { on: '/dashboard/emails/add?preset=ses', from: 'nobody', password: 'x' });
await judge('email-add-wrong');
await save(page, '/dashboard/emails/callbacks', { provider: 'mailgun', secret: 'key-0123456789abcdef' });
await page.$eval('details.sure', (one) => { one.open = true; });
await judge('callbacks-full');
await save(page, '/dashboard/suppression/add', { on: '/dashboard/suppression', address: 'mallory@example.com', note: 'asked us to stop' });
await judge('suppression-full');
await save(page, '/dashboard/authentication', { passwordless_type: 'LINK_OTP', expires_in: '15' });
await judge('method-saved');
await save(page, '/dashboard/authentication', { code_length: '6', link_origins: 'nowhere' });
await judge('method-wrong');
await page.goto(`${url}/dashboard/emails/templates/signin_otp`);
await page.$eval('#html', (area) => { area.value = '<p>Hello</p>'; });
await press(page, 'Keep as a draft');
await judge('template-draft');
await page.goto(`${url}/dashboard/quickstart`);
await page.click('form[action="/dashboard/quickstart/send"] button');
await says(page, 'Mail taken by');
await judge('trial');
await page.goto(`${url}/dashboard/applications`);
await press(page, 'Rotate the secret of development');
await judge('rotate');
await press(page, 'Rotate');
await judge('secret');
await page.goto(`${url}/dashboard/applications`);
await judge('applications-rotating');
await press(page, 'Revoke development');
await judge('revoke');
await page.goto(`${url}/dashboard/keys?look=1`);
await page.$$eval('details', (all) => all.forEach((one) => { if (!one.matches('.menu')) one.open = true; }));
await judge('keys-asking');
await page.goto(`${url}/dashboard/admins/remove?email=owner@example.com`);
await judge('admin-remove');
await page.goto(`${url}/dashboard/prove`);
await press(page, 'Mail me a code');
await judge('prove-code');
await page.goto(`${url}/dashboard/logs/req_none`);
await judge('not-found');
await chromium.close();
if (found.length > 0) {
  console.error(found.join('\n'));
  process.exit(1);
}
