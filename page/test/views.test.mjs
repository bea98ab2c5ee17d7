// Each view, on a real daemon and engine.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client, launch } from './lib/browser.mjs'
import { Instance, until } from './lib/instance.mjs'

const timeout = 90_000
const instance = await Instance.start('pv', 'running=true')
const browser = await launch()
await instance.image('base:1')
await instance.image('web:1.27')
await instance.docker('volume', 'create', 'My_Volume')
await instance.docker('network', 'create', 'backend')
for (const service of ['web-1', 'web-2', 'web-10']) {
  await instance.docker('run', '-d', '--name', `shop-${service}`, '--label', 'com.docker.compose.project=shop', '-v', 'My_Volume:/data', 'web:1.27')
}
await instance.docker('run', '-d', '--name', 'lonely', '-p', '127.0.0.1:18080:80', '--network', 'backend', 'base:1')
await instance.docker('run', '-d', '--name', 'sick', '--health-cmd', 'false', '--health-interval', '1s', '--health-retries', '1', 'base:1')
await instance.docker('create', '--name', 'talker', 'base:1', 'sh', '-c', 'echo -e "\\033[31mred\\033[0m one"; echo two; echo three >&2; sleep 1; echo four; exec sleep 86400')
const client = await Client.open(browser, instance)
const { page } = client

test('the overview shows engine, driver and counts', { timeout }, async () => {
  await client.show('overview')
  await page.getByTestId('engine-state').getByText('Running', { exact: true }).waitFor()
  await page.getByText('native', { exact: true }).waitFor()
  await page.getByRole('link', { name: /6 containers 5 running/ }).waitFor()
  await page.getByRole('link', { name: /2 images/ }).waitFor()
  await page.getByText('EngineConnected').waitFor()
  await client.picture('overview')
})

// The browser counts a response that two scripts use as one resource, unless it was read twice.
test('the first list is read once, with the document', { timeout }, async () => {
  for (const view of ['containers', 'settings']) {
    await client.show(view)
    await page.reload()
    await page.getByRole('link', { name: 'Overview' }).click()
    await page.getByRole('link', { name: /6 containers 5 running/ }).waitFor()
    const reads = await page.evaluate(() =>
      performance
        .getEntriesByType('resource')
        .map((entry) => ({ address: new URL(entry.name), by: entry.initiatorType }))
        .filter(({ address }) => address.pathname.endsWith('/containers'))
        .map(({ address, by }) => `${by} ${address.search}`),
    )
    assert.equal(reads.length, 1, reads.join(', '))
    assert.match(reads[0], /^(?!fetch).* \?limit=\d+$/)
  }
})

test('containers are grouped, with status, health, ports and numbers in order', { timeout }, async () => {
  await client.show('containers')
  await page.getByRole('button', { name: 'shop', expanded: true }).waitFor()
  const names = await page.locator('.name a').allTextContents()
  assert.deepEqual(names, ['shop-web-1', 'shop-web-2', 'shop-web-10', 'lonely', 'sick', 'talker'])
  await client.row('sick').getByText('unhealthy').waitFor()
  assert.equal(await client.row('lonely').getByRole('link', { name: 'Open 18080→80 of lonely' }).getAttribute('href'), 'http://127.0.0.1:18080/')
  await client.row('talker').getByText('Created').waitFor()
  await client.picture('containers')
})

test('search, filter and closed groups leave rows out', { timeout }, async () => {
  await page.getByRole('searchbox').fill('SHOP web-1')
  await until('two rows', async () => (await page.locator('.name a').count()) === 2)
  await page.getByRole('searchbox').fill('nothing has this')
  await page.getByText('No container matches').waitFor()
  await page.getByRole('button', { name: 'Show all containers' }).click()
  await page.getByLabel('Show', { exact: true }).selectOption('stopped')
  await until('one row', async () => (await page.locator('.name a').count()) === 1)
  await page.getByLabel('Show', { exact: true }).selectOption('all')
  await page.getByRole('button', { name: 'shop', exact: true }).click()
  await until('three rows', async () => (await page.locator('.name a').count()) === 3)
  await page.getByRole('button', { name: 'shop', exact: true }).click()
})

test('a container of the engine appears, changes and goes by itself', { timeout }, async () => {
  await instance.docker('run', '-d', '--name', 'visitor', 'base:1')
  await client.row('visitor').getByText(/^Up /).waitFor()
  await instance.docker('pause', 'visitor')
  await client.row('visitor').getByText('Paused').waitFor()
  await instance.docker('rm', '-f', 'visitor')
  await client.row('visitor').waitFor({ state: 'detached' })
})

test('the keyboard alone reaches a container and its actions', { timeout }, async () => {
  await client.show('containers')
  await page.locator('.name a').first().focus()
  await page.keyboard.press('End')
  await until('the last row', () => page.evaluate(() => document.activeElement?.textContent === 'talker'))
  await page.keyboard.press('Home')
  await page.keyboard.press('ArrowDown')
  await until('the first container', () => page.evaluate(() => document.activeElement?.textContent === 'shop-web-1'))
  for (let i = 0; i < 3; i++) await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await until('the menu', () => page.evaluate(() => document.activeElement?.getAttribute('role') === 'menuitem'))
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Escape')
  await until('the button', () => page.evaluate(() => document.activeElement?.getAttribute('aria-label') === 'More actions for shop-web-1'))
})

test('the page of a container follows its log', { timeout }, async () => {
  await client.show('containers')
  await page.getByRole('link', { name: 'talker' }).click()
  await page.getByText('The log is empty').waitFor()
  await instance.docker('start', 'talker')
  const log = page.getByRole('log')
  await log.getByText('four').waitFor()
  assert.equal(await log.locator('.a1').textContent(), 'red')
  await page.getByRole('searchbox').fill('T')
  await page.getByText('2 lines').waitFor()
  await page.getByLabel('Only these').check()
  await until('two lines', async () => (await log.locator('.line').count()) === 2)
  await page.getByRole('searchbox').fill('')
  await page.getByLabel('Times').check()
  await log.getByText(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d red one$/).waitFor()
  await page.getByLabel('Stream').selectOption('stderr')
  await until('one line', async () => (await log.locator('.line').allTextContents()).join().endsWith('three'))
  await client.picture('logs')
})

test('a shell runs commands, also in color, and its end is said', { timeout }, async () => {
  await page.getByRole('link', { name: 'Shell' }).click()
  const screen = page.locator('.xterm-rows')
  await screen.getByText('#').waitFor()
  await page.keyboard.type('echo out$((6*7)); stty size\n')
  await screen.getByText('out42').waitFor()
  await until('the size of the terminal', async () => /\n?[1-9]\d+ [1-9]\d+/.test(await screen.textContent()))
  await page.keyboard.type('printf "\\033[38;2;255;100;0mtrue\\033[0m\\n"\n')
  const colored = screen.locator('span', { hasText: /^true$/ })
  await until('a color', async () => (await colored.count()) > 0 && (await colored.first().evaluate((e) => getComputedStyle(e).color)) === 'rgb(255, 100, 0)')
  await client.picture('shell')
  await page.keyboard.type('exit 3\n')
  await page.getByText('The shell has ended with exit code 3.').waitFor()
  await page.getByRole('button', { name: 'Open a new shell' }).click()
  await screen.getByText('#').waitFor()
})

test('CPU and memory are drawn while the container runs', { timeout }, async () => {
  await page.getByRole('link', { name: 'CPU and memory' }).click()
  await page.getByRole('img', { name: /Memory: now .*iB/ }).waitFor()
  await page.getByRole('img', { name: /CPU.*: now .* %/ }).waitFor()
  await client.picture('stats')
})

test('details, events and YAML are those of the resource', { timeout }, async () => {
  await client.show('containers')
  await page.getByRole('link', { name: 'shop-web-1', exact: true }).click()
  await page.getByRole('link', { name: 'Details' }).click()
  await page.getByText('volume My_Volume').waitFor()
  await page.getByText(/^\d+\.\d+\.\d+\.\d+, ([0-9a-f]{2}:?){6}$/).waitFor()
  await page.getByText('com.docker.compose.project').waitFor()
  await page.getByRole('link', { name: 'YAML' }).click()
  await page.getByLabel('The resource as YAML').getByText('kind: Container').waitFor()
  await client.show('containers')
  await page.getByRole('link', { name: 'sick' }).click()
  await page.getByRole('link', { name: 'Events' }).click()
  await page.getByText('Unhealthy', { exact: true }).waitFor()
})

test('images, volumes and networks show who uses them', { timeout }, async () => {
  await client.show('images')
  await client.row('web:1.27').getByText('shop-web-1, shop-web-2, shop-web-10').waitFor()
  await client.picture('images')
  await client.show('volumes')
  await client.row('My_Volume').getByText('shop-web-1').waitFor()
  await client.show('networks')
  await client.row('backend').getByText('lonely').waitFor()
  assert.equal(await client.row('host').getByRole('button', { name: /Delete/ }).count(), 0)
})

test('the tree shows all actors, and finds a mirror by the name of its object', { timeout }, async () => {
  await client.show('tree')
  const tree = page.getByRole('treegrid')
  await tree.getByRole('row', { name: /^engine Ready/ }).waitFor()
  await tree.getByRole('row', { name: /^container ×6 mirrored/ }).waitFor()
  await client.picture('tree')
  await page.getByRole('searchbox').fill('lonely')
  await page.getByRole('row', { name: /root\/engine\/container\/[0-9a-f]{64} ?lonely mirrored/ }).waitFor()
  await page.getByRole('searchbox').fill('')
  await tree.getByRole('row').nth(1).focus()
  await page.keyboard.press('ArrowLeft')
  await until('a closed tree', async () => (await tree.getByRole('row').count()) === 2)
  await page.keyboard.press('ArrowRight')
  await tree.getByRole('row', { name: /^engine Ready/ }).waitFor()
})

test('the doctor reports, and the support bundle is a file', { timeout }, async () => {
  await client.show('doctor')
  await page.getByText('mirrors: ok').waitFor({ timeout: 40_000 })
  const downloading = page.waitForEvent('download', { timeout: 60_000 })
  await page.getByRole('link', { name: 'Download' }).click()
  const file = await downloading
  assert.match(file.suggestedFilename(), /\.tar\.gz$/)
  assert.equal(await file.failure(), null)
})

test('nothing was refused by the browser', async () => {
  client.checkProblems()
})

test('the instance is removed', { timeout }, async () => {
  await browser.close()
  await instance.remove()
})
