// Everything but live previews and live updates works where no script runs: the main tasks, in a browser
// that runs none. Prints `ok: …` for each sentence that holds.
import assert from 'node:assert/strict';
import { becomes, browser, call, enter, mail, press, says, type, url } from './site.mjs';

const chromium = await browser();
const page = await chromium.newPage();
// No script arrives, and the pages have none inline.
await page.setRequestInterception(true);
let withheld = 0;
page.on('request', (request) => {
  if (request.resourceType() !== 'script') return request.continue();
  withheld += 1;
  return request.abort();
});
// High enough that the bar with the buttons, which stays at the bottom, covers no field.
await page.setViewport({ width: 1280, height: 2600 });

/** Fills fields as somebody does who types and clicks, presses the form's button, and waits for the answer. */
async function submit(form, fields = {}, button = 'button') {
  await page.waitForSelector(form);
  for (const [name, value] of Object.entries(fields)) {
    const field = await page.$(`${form} [name="${name}"]${value === true ? '' : ':not([type="hidden"])'}`);
    const kind = await field.evaluate((one) => one.type);
    if (kind === 'checkbox' || kind === 'radio') await field.click();
    else if (kind === 'select-one') await field.select(value);
    else await type(page, `${form} [name="${name}"]`, value);
  }
  await Promise.all([page.waitForNavigation(), page.click(`${form} ${button}`)]);
}

const form = (path) => `form[method="post"][action="${path}"]`;

await page.goto(process.env.POSTERN_INVITATION);
await press(page, 'Open the dashboard');
await submit('.me form[action="/dashboard/sign-out"]');
await submit(form('/dashboard/sign-in'), { email: 'owner@example.com' });
await submit(form('/dashboard/sign-in/code'), { code: (await mail('owner@example.com')).otp });
console.log('ok: an invitation, signing out and signing in by mail');

await page.goto(`${url}/dashboard/authentication`);
await submit(form('/dashboard/authentication'), { expires_in: '15', regenerate_on_resend: true }, '.primary');
await says(page, 'on resend: on → off');
await says(page, 'ASVS 6.5.5');
assert.equal((await call('send', { email: 'ada@example.com' })).expires_in, 900);
console.log('ok: settings are saved, with what changed and what is unsafe about it');

await page.goto(`${url}/dashboard/emails/add?preset=ses`);
await press(page, 'eu-west-1');
assert.equal(await page.$eval('#host', (input) => input.value), 'email-smtp.eu-west-1.amazonaws.com');
for (const name of ['first', 'second']) {
  await page.goto(`${url}/dashboard/emails/add?preset=other`);
  await submit(form('/dashboard/emails/add'), { name, from: 'login@example.com', host: '127.0.0.1', port: process.env.SMTP_FIRST, tls: 'none' }, '.primary');
  await says(page, 'Connected.');
}
await submit(`li:first-child ${form('/dashboard/emails/test')}`, { to: 'ada@example.com' });
await says(page, 'The test mail was taken.');
await says(page, 'C: RCPT TO:<ada@example.com>');
await page.goto(`${url}/dashboard/emails`);
await press(page, '↓ Down: first');
await says(page, 'The order is changed.');
assert.match(await page.$eval('.cards li', (card) => card.innerText), /second/);
console.log('ok: providers are connected, tried and ordered');

await page.goto(`${url}/dashboard/emails/templates/signin_otp`);
await type(page, '#html', '<p>Hello {{ otp }}</p>');
await page.click('button[data-preview]');
await page.waitForFunction(() => true);
const frame = page.frames().find((one) => one.name() === 'preview');
await frame.waitForFunction(() => document.body?.innerText.includes('Hello 731904'));
await press(page, 'Save and put in force');
await says(page, 'Custom, version 1');
await press(page, 'Revert to what was before');
await says(page, 'Reverted.');
await type(page, '#html', '<p>Hello</p>');
await press(page, 'Keep as a draft');
await says(page, 'the code is not in every mail');
console.log('ok: a template is looked at, saved, reverted, and its draft told what it lacks');

await page.goto(`${url}/dashboard/applications`);
await submit(form('/dashboard/applications'), { name: 'Shop' });
await says(page, 'Copy the secret now');
await page.goto(`${url}/dashboard/quickstart`);
await submit(form('/dashboard/quickstart/send'), { email: 'trial@example.com' });
await becomes(page, 'Mail taken by');
await submit(form('/dashboard/quickstart/verify'), { code: (await mail('trial@example.com')).otp });
await says(page, 'your app would sign in trial@example.com now.');
console.log('ok: credentials are made, and a trial mail is sent, followed and verified');

await page.goto(`${url}/dashboard/logs`);
await submit('form[action="/dashboard/logs"]', { email: 'trial@example.com', status: 'SUCCESS' });
await becomes(page, '1 in all');
await press(page, 'trial@example.com');
await says(page, 'Verified');
await page.goto(`${url}/dashboard/logs/why`);
await submit('form[action="/dashboard/logs/why"]', { email: 'trial@example.com' });
await says(page, 'the person signed in with it');
console.log('ok: the log is searched, and its questions are answered');

await page.goto(`${url}/dashboard/admins`);
await submit(form('/dashboard/admins/add'), { email: 'grace@example.com', role: 'viewer' });
await says(page, 'They can sign in from now on.');
await page.goto(`${url}/dashboard/keys`);
await page.click('details.ask summary');
await submit(form('/dashboard/keys/signing/rotate'));
await says(page, 'Rotated.');
await page.click('details.sure summary');
await submit(form('/dashboard/keys/signing/drop'));
await says(page, 'Dropped.');
await page.goto(`${url}/dashboard/suppression`);
await submit(form('/dashboard/suppression/add'), { address: 'eve@example.com', note: 'asked', for: '86400' });
await says(page, 'eve@example.com');
await submit('.me form[action="/dashboard/theme"]');
assert.equal(await page.$eval('html', (root) => root.dataset.theme), 'dark');
console.log('ok: admins, keys, the suppression list and the theme');

await page.goto(`${url}/dashboard/inbox`);
await press(page, (await mail('trial@example.com')).subject);
await says(page, 'As it looks');
await page.goto(`${url}/dashboard`);
await page.click('details summary::-p-text(The numbers as a table)');
await says(page, 'From (UTC)');
console.log('ok: mails of the inbox are opened, and the chart is read as a table');
assert.ok(withheld > 20, 'scripts were asked for and none came');
await chromium.close();
