// Each action, with the refusals of the engine, on a real daemon and engine.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client, launch } from './lib/browser.mjs'
import { Instance, until } from './lib/instance.mjs'

const timeout = 90_000
const instance = await Instance.start('pa', 'running=true')
const browser = await launch()
await instance.image('base:1')
await instance.docker('run', '-d', '--name', 'web', 'base:1')
await instance.docker('run', '-d', '--name', 'taker', '-p', '127.0.0.1:18081:80', 'base:1')
await instance.docker('create', '--name', 'unlucky', '-p', '127.0.0.1:18081:80', 'base:1')
await instance.docker('run', '-d', '--name', 'user', '-v', 'data:/data', '--network', 'bridge', 'base:1')
const client = await Client.open(browser, instance)
const { page } = client

const state = (name) => instance.docker('inspect', '-f', '{{.State.Status}}', name).catch(() => 'gone')

// choose selects an action in the menu of an object.
async function choose(name, action) {
  await page.getByRole('button', { name: `More actions for ${name}`, exact: true }).click()
  await page.getByRole('menuitem', { name: action }).click()
}

test('a container is stopped, started and restarted', { timeout }, async () => {
  await client.show('containers')
  await page.getByRole('button', { name: 'Stop web', exact: true }).click()
  await client.row(/^web/).getByText(/Exited/).waitFor()
  assert.equal(await state('web'), 'exited')
  await page.getByRole('button', { name: 'Start web', exact: true }).click()
  await client.row(/^web/).getByText(/^Up /).waitFor()
  const started = await instance.docker('inspect', '-f', '{{.State.StartedAt}}', 'web')
  await page.getByRole('button', { name: 'Restart web', exact: true }).click()
  await until('another start', async () => (await instance.docker('inspect', '-f', '{{.State.StartedAt}}', 'web')) !== started)
})

test('a container is paused, resumed and killed in the menu', { timeout }, async () => {
  await client.row(/^web/).getByText(/^Up /).waitFor()
  await choose('web', 'Pause')
  await client.row(/^web/).getByText('Paused').waitFor()
  await page.getByRole('button', { name: 'Resume web' }).click()
  await client.row(/^web/).getByText(/^Up /).waitFor()
  await choose('web', 'Kill')
  await client.row(/^web/).getByText(/Exited \(137\)/).waitFor()
})

test('a refused start is shown in its row, with the words of the engine', { timeout }, async () => {
  await page.getByRole('button', { name: 'Start unlucky' }).click()
  await client.row(/^unlucky/).getByText(/Start refused: .*(already in use|already allocated)/).waitFor()
  await client.picture('refusal')
  await client.axe('a refusal')
})

test('a running container is stopped and deleted after a question', { timeout }, async () => {
  await choose('taker', 'Delete…')
  const dialog = page.getByRole('dialog', { name: 'Delete container taker?' })
  await client.axe('a dialog')
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  assert.equal(await state('taker'), 'running')
  await choose('taker', 'Delete…')
  await dialog.getByRole('button', { name: 'Stop and delete' }).click()
  await client.row(/^taker/).waitFor({ state: 'detached' })
  assert.equal(await state('taker'), 'gone')
})

test('a volume in use stays, says why, and goes when its user is gone', { timeout }, async () => {
  await client.show('volumes')
  await page.getByRole('button', { name: 'Delete data' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('user uses it').waitFor()
  await dialog.getByRole('button', { name: 'Delete' }).click()
  await client.row('data').getByText(/Delete refused: .*volume is in use/).waitFor()
  await instance.docker('rm', '-f', 'user')
  await client.row('data').waitFor({ state: 'detached' })
})

test('a network and an image are deleted', { timeout }, async () => {
  await instance.docker('network', 'create', 'spare')
  await instance.image('spare:1')
  await client.show('networks')
  await page.getByRole('button', { name: 'Delete spare' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await client.row('spare').waitFor({ state: 'detached' })
  await client.show('images')
  await page.getByRole('button', { name: 'Delete spare:1' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await client.row('spare:1').waitFor({ state: 'detached' })
})

test('a pull that fails says why, and is dismissed', { timeout }, async () => {
  await page.getByRole('button', { name: 'Pull…' }).click()
  await page.getByRole('textbox', { name: 'Image' }).fill('127.0.0.1:1/missing:1')
  await page.getByRole('button', { name: 'Pull', exact: true }).click()
  const pull = page.getByRole('listitem').filter({ hasText: '127.0.0.1:1/missing:1' })
  await pull.getByText(/Pull failed/).waitFor()
  await pull.getByText(/refused|connect/).waitFor()
  await pull.getByRole('button', { name: /Dismiss/ }).click()
  await pull.waitFor({ state: 'detached' })
})

test('an invalid reference is refused in the dialog', { timeout }, async () => {
  await page.getByRole('button', { name: 'Pull…' }).click()
  await page.getByRole('textbox', { name: 'Image' }).fill('NOT A REFERENCE')
  await page.getByRole('button', { name: 'Pull', exact: true }).click()
  await page.getByRole('dialog').getByRole('alert').waitFor()
  await page.keyboard.press('Escape')
})

test('a prune has a preview that removes nothing, and removes the selected kinds', { timeout }, async () => {
  await instance.image('', 'LABEL unused=yes')
  await instance.docker('network', 'create', 'unused')
  await client.show('images')
  await page.getByRole('button', { name: 'Prune…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Stopped containers').uncheck()
  await dialog.getByText(/Unused now: 2 objects/).waitFor()
  await client.picture('prune')
  await dialog.getByLabel('Images without containers').uncheck()
  await dialog.getByText(/Unused now: 1 object[,.]/).waitFor()
  assert.match(await instance.docker('network', 'ls'), /unused/)
  await dialog.getByRole('button', { name: 'Remove' }).click()
  await dialog.getByText(/^Removed 1 object/).waitFor()
  assert.doesNotMatch(await instance.docker('network', 'ls'), /unused/)
  await dialog.getByRole('button', { name: 'Close' }).click()
})

test('a prune removes nothing that its preview did not show', { timeout }, async () => {
  await instance.docker('network', 'create', 'shown')
  await page.getByRole('button', { name: 'Prune…' }).click()
  const dialog = page.getByRole('dialog')
  for (const kind of ['Stopped containers', 'Images without containers']) await dialog.getByLabel(kind).uncheck()
  await dialog.getByText(/Unused now: 1 object[,.]/).waitFor()
  await instance.docker('network', 'create', 'later')
  await dialog.getByRole('button', { name: 'Remove' }).click()
  await dialog.getByText('What is unused has changed since the preview').waitFor()
  await dialog.getByText(/Unused now: 2 objects/).waitFor()
  assert.match(await instance.docker('network', 'ls'), /shown[^]*later|later[^]*shown/)
  let before = ''
  await page.route('**/prunerequests', async (route) => {
    const removes = route.request().method() === 'POST' && !route.request().postDataJSON().spec.dryRun
    if (removes) before = await dialog.getByText(/^Loading the result|^Removed/).textContent()
    await route.continue()
  })
  await dialog.getByRole('button', { name: 'Remove' }).click()
  await dialog.getByText(/^Removed 2 objects/).waitFor()
  assert.match(before, /^Loading/, 'nothing is called removed before the removal is requested')
  await page.unroute('**/prunerequests')
  assert.doesNotMatch(await instance.docker('network', 'ls'), /shown|later/)
  await dialog.getByRole('button', { name: 'Close' }).click()
})

test('settings say what they restart, are checked, and are applied', { timeout }, async () => {
  await client.show('settings')
  await page.getByText('All settings are applied').waitFor()
  assert.equal(await page.getByLabel('namespace').isDisabled(), true)
  await page.getByLabel('containerEngine.dns').fill('no address')
  const changes = page.getByRole('region', { name: 'Changes' })
  await changes.getByText('restarts the engine').waitFor()
  await page.getByLabel('vm.cpus').fill('3')
  await changes.getByText('has no effect with the driver native').waitFor()
  await changes.getByRole('button', { name: 'Save' }).click()
  await changes.getByText('must be an IP address').waitFor()
  await client.picture('settings')
  await page.getByLabel('containerEngine.dns').fill('10.0.0.53')
  await changes.getByRole('button', { name: 'Save' }).click()
  await changes.waitFor({ state: 'detached' })
  await page.getByText('All settings are applied').waitFor({ timeout: 60_000 })
  const app = JSON.parse(await instance.rdd('ctl', 'get', 'app', 'app', '-o', 'json'))
  assert.deepEqual([app.spec.containerEngine.dns, app.spec.vm.cpus], [['10.0.0.53'], 3])
})

test('the engine is stopped and started on the overview', { timeout }, async () => {
  await client.show('overview')
  const engine = page.getByTestId('engine-state')
  await page.getByRole('button', { name: 'Stop', exact: true }).click()
  await engine.getByText('Stopped', { exact: true }).waitFor({ timeout: 60_000 })
  await page.getByRole('link', { name: /0 containers/ }).waitFor()
  await client.show('containers')
  await page.getByText('No containers').waitFor()
  await client.show('overview')
  await page.getByRole('button', { name: 'Start', exact: true }).click()
  await engine.getByText('Running', { exact: true }).waitFor({ timeout: 60_000 })
  await page.getByRole('link', { name: /[1-9] containers/ }).waitFor()
})

test('a start that is refused says why on the overview', { timeout }, async () => {
  await instance.rdd('set', '--wait=false', 'containerEngine.extraArgs=--no-such-flag')
  await page.getByText('The settings cannot be applied').waitFor({ timeout: 60_000 })
  await page.getByText(/no-such-flag/).first().waitFor()
  await client.picture('refused-settings')
  await instance.rdd('set', 'containerEngine.extraArgs=')
  await page.getByText('The settings cannot be applied').waitFor({ state: 'detached' })
})

test('nothing was refused by the browser', async () => {
  client.checkProblems()
})

test('the instance is removed', { timeout }, async () => {
  await browser.close()
  await instance.remove()
})
