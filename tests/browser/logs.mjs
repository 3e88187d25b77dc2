// The authentication log with 100,000 requests in the store: filtered, paged, exported.
// Prints `ok: …` for each sentence that holds.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { browser, call, enter, press, says, type, url } from './site.mjs';

const COUNT = Number(process.env.REQUESTS);
const chromium = await browser();
const page = await chromium.newPage();
await enter(page, process.env.POSTERN_INVITATION);

// The last of them failed: once it is there, all are.
await page.waitForFunction(async (wanted) => {
  const text = await (await fetch('/dashboard/logs?status=FAILED')).text();
  return text.includes(`${wanted} in all`);
}, { timeout: 240000, polling: 1000 }, COUNT / 1000);
await page.goto(`${url}/dashboard/logs?live=off`);
await says(page, '10\u202f000 or more in all');
const rows = () => page.$$eval('table.log tbody tr', (all) => all.map((row) => row.querySelector('a').innerText));
const first = await rows();
assert.equal(first.length, 20);
await press(page, 'Older');
const second = await rows();
assert.equal(second.length, 20);
assert.deepEqual(second.filter((one) => first.includes(one)), []);
await press(page, 'Newer');
assert.deepEqual(await rows(), first);
console.log('ok: twenty a page, older and back again');

await type(page, '#email', 'person777@example.com');
await press(page, 'Search');
assert.deepEqual(await rows(), ['person777@example.com']);
await says(page, '1 in all');
await page.goto(`${url}/dashboard/logs`);
await page.select('#status', 'FAILED');
await press(page, 'Search');
await says(page, `${COUNT / 1000} in all`);
await page.goto(`${url}/dashboard/logs`);
await page.select('#period', '1h');
await press(page, 'Search');
await says(page, 'Nothing matches');
await call('send', { email: 'late@example.com' });
await says(page, 'late@example.com');
assert.deepEqual(await rows(), ['late@example.com']);
console.log('ok: address, status and time narrow it, and a new request that fits appears by itself');

const folder = mkdtempSync(join(tmpdir(), 'postern-export-'));
const session = await chromium.target().createCDPSession();
async function download(link, name) {
  await session.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: folder, eventsEnabled: true });
  const done = new Promise((resolve, reject) => {
    session.on('Browser.downloadProgress', ({ state }) => {
      if (state === 'completed') resolve();
      if (state === 'canceled') reject(new Error(`${name} was broken off`));
    });
  });
  await (await page.$(`::-p-xpath(//main//a[normalize-space()="${link}"])`)).click();
  await done;
  assert.ok(existsSync(join(folder, name)));
  return readFileSync(join(folder, name), 'utf8').trimEnd().split('\n');
}

await page.goto(`${url}/dashboard/logs?live=off`);
const csv = await download('Export CSV', 'authentication-log.csv');
assert.equal(csv.length, COUNT + 2);
assert.match(csv[0], /^auth_request_id,email,status,client_id,/);
assert.equal(new Set(csv.map((line) => line.split(',')[0])).size, csv.length);
console.log('ok: all of it is exported as CSV, nothing twice');
await page.goto(`${url}/dashboard/logs?live=off&status=FAILED`);
const lines = (await download('JSON lines', 'authentication-log.jsonl')).map((line) => JSON.parse(line));
assert.equal(lines.length, COUNT / 1000);
assert.ok(lines.every((line) => line.status === 'FAILED'));
console.log('ok: what is filtered is exported as JSON lines');
await chromium.close();
