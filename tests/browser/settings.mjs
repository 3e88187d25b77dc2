// Every setting, changed in the dashboard, and what that changes for an app that calls the API.
// Prints `ok: …` for each sentence that holds.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { browser, call, enter, mail, save, says, url } from './site.mjs';

const chromium = await browser();
const page = await chromium.newPage();
await enter(page, process.env.POSTERN_INVITATION);
const changed = new Set();

async function method(values) {
  await save(page, '/dashboard/authentication', values);
  await says(page, 'Saved. In force');
  Object.keys(values).forEach((name) => changed.add(name));
}

async function branding(values) {
  await save(page, '/dashboard/emails/branding', values);
  await says(page, 'Saved. In force');
  Object.keys(values).forEach((name) => changed.add(name));
}

async function suppression(values) {
  await save(page, '/dashboard/suppression/rules', { on: '/dashboard/suppression', ...values });
  await says(page, 'Saved. In force');
  Object.keys(values).forEach((name) => changed.add(name));
}

let count = 0;
/** An address that no quota knows. */
function somebody(name = 'somebody', domain = 'example.com') {
  count += 1;
  return `${name}${count}@${domain}`;
}

async function sent(email = somebody(), more = {}) {
  const receipt = await call('send', { email, ...more });
  assert.equal(receipt.status, 200, JSON.stringify(receipt));
  return { receipt, id: receipt.auth_request_id, email, mail: await mail(email) };
}

const wrong = (code, n = 1) => String((Number(code) + n) % 10 ** code.length).padStart(code.length, '0');
const LINKS = { magiclink_auth_uri: 'https://app.example.com/in' };

await method({ enabled: false });
assert.equal((await call('send', { email: somebody() })).error, 'METHOD_DISABLED');
await method({ enabled: true });
await sent();
console.log('ok: a method that is switched off answers METHOD_DISABLED, and on again it sends');

await method({ expires_in: '2', expires_in_unit: 'm' });
assert.equal((await sent()).receipt.expires_in, 120);
console.log('ok: the expiry period is in force');

await method({ code_length: '10', code_alphabet: 'ALPHANUMERIC' });
assert.match((await sent()).mail.otp, /^(?=.*[A-Z])[0-9A-Z]{10}$/);
await method({ code_length: '8', code_alphabet: 'NUMERIC' });
assert.match((await sent()).mail.otp, /^[0-9]{8}$/);
console.log('ok: length and alphabet of codes are in force');

for (const [regenerate, compare] of [[false, assert.equal], [true, assert.notEqual]]) {
  await method({ regenerate_on_resend: regenerate });
  const one = await sent();
  await call('resend', { auth_request_id: one.id });
  const answer = await fetch(`${url}/dev/inbox/messages?to=${one.email}&after=${one.mail.id}&wait=20`);
  compare((await answer.json()).at(-1).otp, one.mail.otp);
}
console.log('ok: a resend makes new credentials where it should, and keeps them where not');

await method({ passwordless_type: 'LINK', enforce_same_browser_origin: true });
const link = await sent(somebody(), LINKS);
assert.equal(link.receipt.passwordless_type, 'LINK');
assert.equal(link.mail.otp ?? null, null);
assert.equal((await call('verify', { link_token: link.mail.link_token })).error, 'OTHER_BROWSER');
await method({ enforce_same_browser_origin: false });
assert.equal((await call('verify', { link_token: link.mail.link_token })).email, link.email);
console.log('ok: the method and the same browser are in force, for requests that are out too');

await method({ confirm_page: true });
assert.ok((await sent(somebody(), LINKS)).mail.link.startsWith(`${url}/`));
await method({ confirm_page: false });
await method({ link_origins: 'https://app.example.com', link_schemes: 'myapp' });
await sent(somebody(), LINKS);
await sent(somebody(), { magiclink_auth_uri: 'myapp://in' });
for (const uri of ['https://evil.example/in', 'yourapp://in']) {
  assert.equal((await call('send', { email: somebody(), magiclink_auth_uri: uri })).error, 'INVALID_ARGUMENT');
}
await method({ link_origins: '', link_schemes: '', passwordless_type: 'OTP' });
console.log('ok: links lead where they may, and over our own page where that is wanted');

await method({ allowed_domains: 'open.example', blocked_domains: 'closed.open.example' });
await sent(somebody('ada', 'open.example'));
for (const domain of ['example.com', 'closed.open.example']) {
  assert.notEqual((await call('send', { email: somebody('ada', domain) })).status, 200, domain);
}
await method({ domain_rules: 'log' });
await sent(somebody('ada', 'closed.open.example'));
await method({ domain_rules: 'enforce', allowed_domains: '', blocked_domains: '' });
await method({ block_disposable_domains: true });
assert.notEqual((await call('send', { email: somebody('ada', 'mailinator.com') })).status, 200);
await method({ block_disposable_domains: false });
await sent(somebody('ada', 'mailinator.com'));
console.log('ok: domain rules refuse, or only write down');

await method({ test_addresses: 'ada+sktest@example.com', test_code: '24682468' });
const test = await call('send', { email: 'ada+sktest@example.com' });
assert.equal((await call('verify', { auth_request_id: test.auth_request_id, code: '24682468' })).email, 'ada+sktest@example.com');
await method({ test_addresses: '' });
console.log('ok: a test identity signs in by its static code');

await method({ attempt_limit: '1' });
const once = await sent();
assert.match((await call('verify', { auth_request_id: once.id, code: wrong(once.mail.otp) })).message, /no(ne)? .*left/i);
assert.equal((await call('verify', { auth_request_id: once.id, code: once.mail.otp })).error, 'TOO_MANY_ATTEMPTS');
await method({ attempt_limit: '5' });
console.log('ok: so many wrong codes end a request as the settings say');

await method({ guess_budget: '5', on_budget: 'refuse' });
const guessed = await sent();
for (let n = 1; n <= 5; n += 1) await call('verify', { auth_request_id: guessed.id, code: wrong(guessed.mail.otp, n) });
assert.equal((await call('send', { email: guessed.email })).error, 'RATE_LIMITED');
await method({ on_budget: 'harden' });
await call('send', { email: guessed.email });
const after = await fetch(`${url}/dev/inbox/messages?to=${guessed.email}&after=${guessed.mail.id}&wait=20`);
assert.equal((await after.json()).at(-1).otp.length, 10);
await method({ guess_budget: '100' });
console.log('ok: past its budget an address gets a longer code, or none');

for (const [name, least] of [['sends_per_minute', 1], ['sends_per_hour', 61], ['sends_per_day', 3601]]) {
  const limits = { sends_per_minute: '20', sends_per_hour: '20', sends_per_day: '50' };
  const order = Object.keys(limits);
  // A longer span never allows less than a shorter one.
  order.slice(0, order.indexOf(name) + 1).forEach((shorter) => { limits[shorter] = '1'; });
  await method(limits);
  const email = somebody();
  await sent(email);
  const refused = await call('send', { email });
  assert.equal(refused.error, 'RATE_LIMITED');
  assert.ok(refused.retry_after >= least, `${name}: ${refused.retry_after}`);
}
await method({ sends_per_minute: '20', sends_per_hour: '20', sends_per_day: '50', client_sends_per_minute: '1' });
await call('send', { email: somebody() });
assert.equal((await call('send', { email: somebody() })).error, 'RATE_LIMITED');
await method({ client_sends_per_minute: '0' });
await sent();
console.log('ok: every limit on sends says when to come back');

await branding({
  app_name: 'Tea & Co', app_logo_url: 'https://cdn.example.com/tea.png', app_support_email: 'help@tea.example',
  app_color: '#7a1f5c', app_domain: 'tea.example', default_language: 'de',
});
const seen = await page.waitForFrame((frame) => frame.url().includes('/branding/html'));
await seen.waitForFunction(() => document.body.innerText.includes('Tea & Co'));
const branded = (await sent()).mail;
assert.match(branded.subject, /Tea & Co/);
for (const part of ['https://cdn.example.com/tea.png', 'help@tea.example', 'lang="de"']) assert.ok(branded.html.includes(part), part);
assert.match(branded.text, /@tea\.example #/);
await method({ passwordless_type: 'LINK' });
assert.match((await sent(somebody(), LINKS)).mail.html, /#7a1f5c/i);
await method({ passwordless_type: 'OTP' });
console.log('ok: name, logo, colour, support address, domain and language are in the preview and in every mail');

await page.goto(`${url}/dashboard/emails/branding`);
await page.$eval('#app_color', (input) => { input.value = '#ffffff'; input.dispatchEvent(new Event('input', { bubbles: true })); });
await says(page, 'dark enough');
console.log('ok: the live preview tells what cannot be');

const KEY = 'key-0123456789abcdef';
await save(page, '/dashboard/emails/callbacks', { provider: 'mailgun', secret: KEY });
await says(page, '/hooks/mail/mailgun');
async function told(event, one) {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = createHmac('sha256', KEY).update(`${timestamp}token${count}`).digest('hex');
  const id = one.mail.headers['message-id'] ?? one.mail.headers['Message-ID'];
  const body = {
    signature: { timestamp, token: `token${count}`, signature },
    'event-data': {
      event, severity: 'permanent', message: { headers: { 'message-id': id.replace(/[<>]/g, '') } },
      'delivery-status': { 'enhanced-code': '5.1.1', message: 'no such user' },
    },
  };
  const answer = await fetch(`${url}/hooks/mail/mailgun`, { method: 'POST', body: JSON.stringify(body) });
  assert.equal(answer.status, 200);
}
const lost = await sent();
await suppression({ suppress_for: '1h' });
await told('failed', lost);
const gone = await call('send', { email: lost.email });
assert.equal(gone.error, 'ADDRESS_SUPPRESSED');
await page.goto(`${url}/dashboard/suppression?search=${lost.email}`);
const cells = await page.$$eval('tbody tr td', (all) => all.map((cell) => cell.innerText));
const [since, until] = cells.filter((text) => /^\d{4}-/.test(text)).map((text) => Date.parse(text));
assert.equal(until - since, 3_600_000);
const annoyed = await sent();
await told('complained', annoyed);
assert.equal((await call('send', { email: annoyed.email })).status, 200);
await suppression({ suppress_complaints: true });
const angry = await sent();
await told('complained', angry);
assert.equal((await call('send', { email: angry.email })).error, 'ADDRESS_SUPPRESSED');
console.log('ok: bounces and complaints suppress an address for as long as the settings say');

const happy = await sent();
await told('delivered', happy);
await page.goto(`${url}/dashboard`);
await page.waitForFunction(async () => {
  const text = await (await fetch('/dashboard')).text();
  return /Delivered<\/p><p class="value">1</.test(text);
}, { timeout: 20000, polling: 500 });
console.log('ok: what a provider tells of a delivery is in the funnel');

await method({ keep_requests: '3d', keep_events: '30d' });
await page.goto(`${url}/dashboard/authentication`);
assert.equal(await page.$eval('#keep_events', (input) => input.value), '30d');
console.log('ok: the retention is changed');

await page.goto(`${url}/dashboard/authentication`);
const names = new Set();
for (const path of ['/dashboard/authentication', '/dashboard/emails/branding', '/dashboard/suppression']) {
  await page.goto(url + path);
  (await page.$$eval('input[name^="seen_"]', (all) => all.map((one) => one.name.slice(5)))).forEach((name) => names.add(name));
}
changed.delete('expires_in_unit');
assert.deepEqual([...names].filter((name) => !changed.has(name)), []);
console.log('ok: that was every setting of every page');
await chromium.close();
