// Every page, light and dark, wide and narrow: `cargo xtask screenshots`.
import { mkdirSync } from 'node:fs';
import { relay } from './relay.mjs';
import { PAGES, browser, call, enter, life, mail, press, save, says, type, url } from './site.mjs';

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
      // As high as the page, so that what sticks to its edges stands there.
      const height = await page.evaluate(() => document.querySelector('main').scrollHeight + 120);
      await page.setViewport({ width: view.width, height: Math.max(view.height, height) });
      await page.screenshot({ path: `${folder}/${name}-${theme}-${size}.png`, fullPage: true });
    }
  }
  await page.setViewport(SIZES.wide);
}

await page.goto(`${url}/dashboard/sign-in`);
await shoot('sign-in');
await page.goto(`${url}/dashboard/sign-in/code`);
await shoot('code');
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
await says(page, 'katherine@example.com');
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
await page.goto(`${url}/dashboard/applications`);
await shoot('applications-rotating');
await press(page, 'Revoke development');
await shoot('revoke');
await page.goto(`${url}/dashboard/admins/remove?email=owner@example.com`);
await shoot('admin-remove');
await page.goto(`${url}/dashboard/prove`);
await press(page, 'Mail me a code');
await shoot('prove-code');
const { link } = await mail('owner@example.com');
await page.goto(link);
await shoot('link');

await page.goto(`${url}/dashboard/quickstart`);
await page.click('form[action="/dashboard/quickstart/send"] button');
await says(page, 'Mail taken by');
await shoot('trial');
for (const [name, port] of [['main', await relay()], ['spare', 9]]) {
  await save(page, '/dashboard/emails/add', {
    on: '/dashboard/emails/add?preset=other', name, from: 'Shop <login@example.com>', host: '127.0.0.1', port: String(port), tls: 'none',
  });
}
await call('send', { email: 'joan@example.com' });
await page.goto(`${url}/dashboard/emails`);
await page.click('form[action="/dashboard/emails/test"] button');
await page.waitForSelector('.dialogue');
await shoot('emails-tested');
await press(page, 'Remove main');
await shoot('email-remove');
await save(page, '/dashboard/emails/add', { on: '/dashboard/emails/add?preset=ses', from: 'nobody', password: 'x' });
await shoot('email-add-wrong');
await save(page, '/dashboard/emails/callbacks', { provider: 'mailgun', secret: 'key-0123456789abcdef' });
await shoot('callbacks-full');
await save(page, '/dashboard/emails/dkim', { domain: 'example.com' });
await shoot('dkim-full');
await page.goto(`${url}/dashboard/emails/templates/signin_otp`);
await press(page, 'Save and put in force');
await type(page, '#html', '<p>Hello</p>');
await press(page, 'Keep as a draft');
await shoot('template-draft');
await page.goto(`${url}/dashboard/keys?look=1`);
await page.$$eval('details', (all) => all.forEach((one) => { if (!one.matches('.menu')) one.open = true; }));
await shoot('keys-asking');
await page.goto(`${url}/dashboard/admins`);
await page.$$eval('details', (all) => all.forEach((one) => { if (!one.matches('.menu')) one.open = true; }));
await shoot('admins-asking');
await save(page, '/dashboard/authentication', { passwordless_type: 'LINK_OTP', expires_in: '15' });
await shoot('method-saved');
await save(page, '/dashboard/suppression/add', { on: '/dashboard/suppression', address: 'mallory@example.com', note: 'asked us to stop' });
await shoot('suppression-full');
await page.goto(`${url}/dashboard/audit`);
await shoot('audit-full');
await page.goto(`${url}/dashboard`);
await shoot('overview-mail');
await page.goto(`${url}/dashboard/logs/req_none`);
await shoot('not-found');
await chromium.close();
