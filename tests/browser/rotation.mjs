// Credentials rotated under a running app that uses the official SDK. Prints `ok: …` for each
// sentence that holds.
import assert from 'node:assert/strict';
import { browser, enter, mail, press, save, says, sdk, shown, url } from './site.mjs';

const chromium = await browser();
const page = await chromium.newPage();
await enter(page, process.env.POSTERN_INVITATION);
await save(page, '/dashboard/applications', { name: 'Shop' });
const first = await shown(page);
const app = sdk(first.SCALEKIT_CLIENT_ID, first.SCALEKIT_CLIENT_SECRET);

let running = true;
const fates = [];
const traffic = (async () => {
  for (let n = 0; running; n += 1) {
    const email = `runner${n}@example.com`;
    try {
      const { authRequestId } = await app.passwordless.sendPasswordlessEmail(email);
      const { otp } = await mail(email);
      fates.push((await app.passwordless.verifyPasswordlessEmail({ code: otp }, authRequestId)).email === email);
    } catch (error) {
      fates.push(error);
    }
  }
})();
const some = (more) => new Promise((resolve) => {
  const begin = fates.length;
  const look = setInterval(() => { if (fates.length >= begin + more) { clearInterval(look); resolve(); } }, 20);
});

await some(2);
await page.goto(`${url}/dashboard/applications`);
await press(page, 'Rotate the secret of Shop');
await press(page, 'Rotate');
const second = await shown(page);
assert.equal(second.SCALEKIT_CLIENT_ID, first.SCALEKIT_CLIENT_ID);
assert.notEqual(second.SCALEKIT_CLIENT_SECRET, first.SCALEKIT_CLIENT_SECRET);
await some(2);
const late = sdk(first.SCALEKIT_CLIENT_ID, first.SCALEKIT_CLIENT_SECRET);
await late.passwordless.sendPasswordlessEmail('late@example.com');
await page.goto(`${url}/dashboard/applications`);
await says(page, 'Two secrets are good.');
await says(page, 'no token yet');
const next = sdk(second.SCALEKIT_CLIENT_ID, second.SCALEKIT_CLIENT_SECRET);
await next.passwordless.sendPasswordlessEmail('next@example.com');
console.log('ok: both secrets are good during the overlap');

await page.goto(`${url}/dashboard/applications`);
await says(page, 'Earlier, until');
await page.waitForFunction(async () => !(await (await fetch('/dashboard/applications')).text()).split('Shop')[1].includes('no token yet'), { timeout: 20000, polling: 300 });
console.log('ok: each secret says when it was used last, so that one sees when the earlier may go');
await page.goto(`${url}/dashboard/applications`);
await press(page, 'Rotate the secret of Shop');
await page.select('#overlap', '0');
await press(page, 'Rotate');
const third = await shown(page);
await some(2);
assert.deepEqual(fates.filter((fate) => fate !== true), []);
console.log(`ok: ${fates.length > 5 ? 'every' : 'each'} sign-in of the running app came through both rotations`);
const ended = sdk(second.SCALEKIT_CLIENT_ID, second.SCALEKIT_CLIENT_SECRET);
await assert.rejects(ended.passwordless.sendPasswordlessEmail('ended@example.com'));
const last = sdk(third.SCALEKIT_CLIENT_ID, third.SCALEKIT_CLIENT_SECRET);
await last.passwordless.sendPasswordlessEmail('last@example.com');
console.log('ok: without an overlap the earlier secrets end, and what is running goes on with its token');

await page.goto(`${url}/dashboard/applications`);
await press(page, 'Revoke Shop');
await press(page, 'Revoke Shop');
await says(page, 'Revoked.');
await page.waitForFunction(() => !document.querySelector('main').innerText.includes('Shop'));
running = false;
await traffic;
await assert.rejects(app.passwordless.sendPasswordlessEmail('gone@example.com'));
console.log('ok: a revoked application is refused, tokens included');
await chromium.close();
