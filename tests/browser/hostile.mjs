// What those try who mean it ill, in a real browser, and two admins who get in each other's way.
// Prints `ok: …` for each sentence that holds.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { browser, call, enter, mail, press, save, says, type, url } from './site.mjs';

const chromium = await browser();
const owner = await chromium.createBrowserContext();
const page = await owner.newPage();
const alarms = [];
page.on('dialog', async (dialog) => { alarms.push(dialog.message()); await dialog.dismiss(); });
await enter(page, process.env.POSTERN_INVITATION);

// Another site on this machine: other port, other origin.
const EVIL = '<script>alert(1)</script><img src=x onerror=alert(2)>';
const evil = createServer((request, response) => {
  response.setHeader('content-type', 'text/html');
  if (request.url === '/form') {
    response.end(`<form id="f" method="post" action="${url}/dashboard/authentication"><input name="seen_enabled" value="true"></form><script>document.getElementById('f').submit()</script>`);
  } else if (request.url === '/fetch') {
    response.end(`<script>fetch('${url}/dashboard/applications', { method: 'POST', credentials: 'include', body: new URLSearchParams({ name: 'evil' }) }).catch(() => {}).then(() => { document.title = 'tried'; })</script>`);
  } else {
    response.end(`<iframe id="trap" src="${url}/dashboard/keys"></iframe>`);
  }
}).listen(0, '127.0.0.1');
await new Promise((resolve) => { evil.once('listening', resolve); });
const elsewhere = `http://localhost:${evil.address().port}`;

const audit = async () => page.evaluate(async () => (await (await fetch('/dashboard/audit')).text()).match(/<tbody>[^]*<\/tbody>/)[0]);
await page.goto(`${url}/dashboard`);
const before = await audit();
const trap = await owner.newPage();
await trap.goto(`${elsewhere}/form`);
await says(trap, 'did not come from one of our pages');
await trap.goto(`${elsewhere}/fetch`);
await trap.waitForFunction(() => document.title === 'tried');
assert.equal(await audit(), before);
console.log('ok: forms and scripts of another site change nothing, although the session is there');

await trap.goto(`${elsewhere}/frame`);
const frame = trap.frames().find((one) => one !== trap.mainFrame());
const inside = await frame.evaluate(() => document.body.innerText).catch(() => '');
assert.ok(!inside.includes('Signing keys'), inside);
console.log('ok: no other site frames a page');
await trap.close();

const planted = (await owner.cookies()).find(({ name }) => name.includes('session'));
const victim = await chromium.createBrowserContext();
await victim.setCookie({ ...planted });
const theirs = await victim.newPage();
await theirs.goto(`${url}/dashboard/sign-in`);
assert.ok(theirs.url().endsWith('/dashboard'), 'the planted session is a session');
await victim.deleteCookie(...(await victim.cookies()));
const fixed = { ...planted, value: 'A'.repeat(43) };
await victim.setCookie(fixed);
await theirs.goto(`${url}/dashboard/sign-in`);
await type(theirs, '#email', 'owner@example.com');
await press(theirs, 'Mail me a code');
await type(theirs, '#code', (await mail('owner@example.com')).otp);
await press(theirs, 'Sign in');
const after = (await victim.cookies()).find(({ name }) => name.includes('session'));
assert.ok(after.value !== fixed.value && after.value !== planted.value);
assert.equal(after.httpOnly, true);
assert.equal(after.sameSite, 'Lax');
console.log('ok: signing in makes a new session, whatever was planted before');

await save(page, '/dashboard/authentication', { passwordless_type: 'LINK_OTP' });
await save(page, '/dashboard/emails/branding', { app_name: EVIL.slice(0, 99) });
await save(page, '/dashboard/applications', { name: EVIL });
await says(page, 'Copy the secret now');
const hostile = ['"><script>alert(3)</script>"@example.com', "o'hara&<b>@example.com", '=cmd|x@example.com'];
for (const email of [...hostile, 'plain@example.com']) {
  await call('send', {
    email, state: EVIL, magiclink_auth_uri: 'https://app.example.com/in',
    template_variables: { user_name: EVIL, app_name: EVIL, organization_name: EVIL, other_thing: EVIL },
  });
}
const sent = await mail('plain@example.com');
await says(page, 'Credentials of');
const looked = ['', '/quickstart', '/applications', '/audit', '/logs', '/logs/why?email=plain@example.com', '/inbox', `/inbox/${sent.id}`, '/emails/branding', '/logs?email=%22%3E%3Cscript%3Ealert(4)%3C/script%3E', '/suppression?search=%22%3E%3Cscript%3Ealert(5)%3C/script%3E'];
await page.goto(`${url}/dashboard/logs`);
await says(page, 'plain@example.com');
for (const path of looked) {
  await page.goto(`${url}/dashboard${path}`);
  for (const one of page.frames()) {
    assert.equal(await one.evaluate(() => document.querySelectorAll('script:not([src]), [onerror], img[src="x"]').length).catch(() => 0), 0, path);
  }
}
await page.goto(`${url}/dashboard/logs`);
await press(page, 'plain@example.com');
await says(page, 'Sign-in requested');
assert.deepEqual(alarms, []);
assert.ok(sent.html.includes('&lt;script&gt;') && !sent.html.includes('<script>alert'));
console.log('ok: what apps put into addresses, states, names and variables is text on every page and in the mail');

await page.goto(`${url}/dashboard/authentication`);
await theirs.goto(`${url}/dashboard/authentication`);
await type(page, '#expires_in', '7');
await press(page, 'Save');
await says(page, 'Saved.');
await type(theirs, '#expires_in', '8');
await type(theirs, '#code_length', '7');
await press(theirs, 'Save');
await says(theirs, 'Somebody else was here.');
assert.equal(await theirs.$eval('#expires_in', (input) => input.value), '8');
assert.equal((await call('send', { email: 'stale@example.com', magiclink_auth_uri: 'https://app.example.com/in' })).expires_in, 420);
await press(theirs, 'Save');
await says(theirs, 'Saved.');
assert.equal((await call('send', { email: 'fresh@example.com', magiclink_auth_uri: 'https://app.example.com/in' })).expires_in, 480);
console.log('ok: the slower of two admins is told, keeps what they typed, and wins by saving again');
evil.close();
await chromium.close();
