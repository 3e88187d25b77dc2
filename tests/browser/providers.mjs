// A mail provider: connected with its mistakes told, tried with the dialogue shown, ordered, changed,
// used by an app, removed. Two SMTP servers listen on loopback; the second wants a login.
// Prints `ok: …` for each sentence that holds.
import assert from 'node:assert/strict';
import { browser, call, enter, press, save, says, type, url } from './site.mjs';

const PASSWORD = 'correct-horse-battery';
const chromium = await browser();
const page = await chromium.newPage();
await enter(page, process.env.POSTERN_INVITATION);

await page.goto(`${url}/dashboard/emails`);
await press(page, 'Connect a provider');
await press(page, 'Amazon SES');
await press(page, 'eu-west-1');
assert.equal(await page.$eval('#host', (input) => input.value), 'email-smtp.eu-west-1.amazonaws.com');
await press(page, 'Other SMTP');
console.log('ok: a preset fills in what is known, region included');

const first = { name: 'first', from: 'Shop <login@example.com>', host: '127.0.0.1', port: process.env.SMTP_FIRST, tls: 'none' };
await save(page, '/dashboard/emails/add', { on: '/dashboard/emails/add?preset=other', ...first, name: 'of two words', from: 'nobody', port: '25', tls: 'none', host: 'mail.example.com' });
for (const field of ['name', 'from', 'tls']) {
  assert.equal(await page.$eval(`#${field}`, (input) => input.getAttribute('aria-invalid')), 'true', field);
  assert.ok((await page.$eval(`#${field}-wrong`, (line) => line.innerText)).length > 10);
}
assert.equal(await page.$eval('#host', (input) => input.value), 'mail.example.com');
console.log('ok: every mistake is told beside its field, and what was typed is still there');

await page.goto(`${url}/dashboard/emails/add?preset=other`);
await type(page, '#name', 'late');
await type(page, '#password', PASSWORD);
await page.setRequestInterception(true);
// As if a proof had been asked for meanwhile, and given.
page.on('request', (request) => (request.method() === 'POST' ? request.respond({ status: 303, headers: { location: '/dashboard/emails/add?preset=other&done=proved' } }) : request.continue()));
await type(page, '#from', 'login@example.com');
await type(page, '#host', 'smtp.example.com');
await press(page, 'Connect');
page.removeAllListeners('request');
await page.setRequestInterception(false);
await says(page, 'What you sent last was not saved.');
await page.click('::-p-xpath(//button[normalize-space()="Put it back"])');
assert.deepEqual(await page.$$eval('#name, #host, #password', (all) => all.map((one) => one.value)), ['late', '', 'smtp.example.com']);
assert.ok(!JSON.stringify(await page.evaluate(() => ({ ...sessionStorage }))).includes(PASSWORD));
console.log('ok: what was typed when a proof was asked for is put back, but for the password');

await save(page, '/dashboard/emails/add', { on: '/dashboard/emails/add?preset=other', ...first });
await says(page, 'Connected.');
await save(page, '/dashboard/emails/add', {
  on: '/dashboard/emails/add?preset=other', ...first, name: 'second', port: process.env.SMTP_SECOND, username: 'postern', password: 'wrong-horse-battery',
});
await says(page, 'Connected.');
await save(page, '/dashboard/emails/add', { on: '/dashboard/emails/add?preset=other', ...first });
await says(page, 'There is a provider of this name');
console.log('ok: two providers are connected, and none is overwritten by its name');

async function tried(name) {
  const card = await page.waitForSelector(`::-p-xpath(//li[.//input[@name="name" and @value="${name}"]])`);
  const field = await card.$('input[name="to"]');
  await field.evaluate((input) => { input.value = ''; });
  await field.type('ada@example.com');
  await (await card.$('form[action="/dashboard/emails/test"] button')).click();
  await card.waitForSelector('.dialogue');
  return card.$eval('[id^="tested-"]', (part) => part.innerText);
}

await page.goto(`${url}/dashboard/emails`);
await page.setRequestInterception(true);
const held = new Promise((resolve) => { page.on('request', (request) => (request.url().endsWith('/emails/test') ? resolve(request) : request.continue())); });
await page.click('li:first-child form[action="/dashboard/emails/test"] button');
const trial = await held;
await says(page, 'Talking to 127.0.0.1…');
assert.equal(await page.$eval('li:first-child form[action="/dashboard/emails/test"] button', (button) => button.disabled), true);
page.removeAllListeners('request');
await trial.continue();
await page.setRequestInterception(false);
await page.waitForSelector('.dialogue');
await page.waitForFunction(() => !document.body.innerText.includes('Talking to'));
console.log('ok: while a test goes on the page says so, and its button waits');

await page.goto(`${url}/dashboard/emails`);
let told = await tried('first');
for (const line of ['The test mail was taken.', 'S: 220', 'C: MAIL FROM:<login@example.com>', 'C: RCPT TO:<ada@example.com>', '(the message,', 'C: QUIT']) {
  assert.ok(told.includes(line), `${line} in ${told}`);
}
told = await tried('second');
for (const line of ['The test mail was not sent.', 'C: AUTH PLAIN ***', 'S: 535']) assert.ok(told.includes(line), `${line} in ${told}`);
assert.ok(!told.includes('wrong-horse') && !told.includes(Buffer.from('\0postern\0wrong-horse-battery').toString('base64')));
console.log('ok: a test shows the dialogue, its end, and nothing of the login');

await save(page, '/dashboard/emails/add', { on: '/dashboard/emails/add?name=second', password: PASSWORD });
await says(page, 'Saved.');
assert.match(await tried('second'), /The test mail was taken\./);
await save(page, '/dashboard/emails/add', { on: '/dashboard/emails/add?name=second', from: 'Tea <tea@example.com>' });
await says(page, 'Saved.');
assert.match(await tried('second'), /MAIL FROM:<tea@example\.com>/);
await save(page, '/dashboard/emails/add', { on: '/dashboard/emails/add?name=second', host: 'localhost' });
await says(page, 'Type the password too');
await page.goto(`${url}/dashboard/audit`);
await says(page, 'password replaced');
await says(page, 'Connected a provider');
console.log('ok: a provider is changed and keeps its password, but for its own server only');

await page.goto(`${url}/dashboard/emails`);
await press(page, '↑ Up: second');
await says(page, 'The order is changed.');
assert.deepEqual(await page.$$eval('.cards input[name="to"]', (all) => all.length), 2);
assert.match(await page.$eval('.cards li', (card) => card.innerText), /second/);
await call('send', { email: 'grace@example.com' });
await page.waitForFunction(async () => {
  const text = await (await fetch('/dashboard/emails')).text();
  return /second <span class="tag good">Works/.test(text);
}, { timeout: 20000, polling: 300 });
await page.goto(`${url}/dashboard`);
await says(page, 'Works');
console.log('ok: the order is changed, the first of it takes the mails of apps, and its health is shown');

await page.goto(`${url}/dashboard/logs`);
await page.waitForFunction(async () => (await (await fetch('/dashboard/logs')).text()).includes('Mail sent'), { timeout: 20000, polling: 300 });
await page.goto(`${url}/dashboard/logs`);
await press(page, 'grace@example.com');
await says(page, 'Mail taken by second');
console.log('ok: the log names the provider and what it said');

const cloud = { on: '/dashboard/emails/add?preset=microsoft365', name: 'cloud', from: 'login@example.com', client_id: '11111111-2222', password: 'a-client-secret' };
await save(page, '/dashboard/emails/add', { ...cloud, tenant: '../evil' });
assert.ok((await page.$eval('#tenant-wrong', (line) => line.innerText)).includes('tenant'));
await save(page, '/dashboard/emails/add', { ...cloud, tenant: 'example.com' });
await says(page, 'Connected.');
await save(page, '/dashboard/emails/add', { on: '/dashboard/emails/add?name=cloud', from: 'Tea <login@example.com>' });
await says(page, 'https://login.microsoftonline.com/example.com/oauth2/v2.0/token');
console.log('ok: a provider that wants access tokens is connected, and changed without losing where they come from');

for (const name of ['first', 'second', 'cloud']) {
  await page.goto(`${url}/dashboard/emails`);
  await press(page, `Remove ${name}`);
  await press(page, `Remove ${name}`);
  await says(page, 'Removed.');
}
await says(page, 'No provider yet');
console.log('ok: providers are removed after a question');
await chromium.close();
