// Measures the page: make bench-page. It prints the figures, and writes them to
// .cache/bench/page.json in the form of bench/report/figures, for docs/benchmarks.md.

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { launch } from './lib/browser.mjs'
import { Instance, SimulatedEngine, until } from './lib/instance.mjs'

const figures = []
let failed = false
const commit = execFileSync('git', ['-c', 'safe.directory=*', 'rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()

const quantile = (values, q) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))]

// report prints percentiles of a figure beside their goals: { 50: 300, 99: undefined }.
function report(name, values, unit, goals = { 50: undefined }) {
  const rows = Object.entries(goals).map(([percentile, goal]) => ({ percentile: Number(percentile), goal }))
  figures.push({ group: 'browser', name, unit, rows, values })
  for (const { percentile, goal } of rows) {
    const value = quantile(values, percentile / 100)
    const over = goal !== undefined && value > goal
    failed ||= over
    const title = rows.length > 1 ? `${name}, p${percentile}` : name
    console.log(`${title.padEnd(66)} ${value.toFixed(value < 10 ? 2 : 0).padStart(8)} ${unit}${goal === undefined ? '' : ` (at most ${goal})`}${over ? '  TOO MUCH' : ''}`)
  }
}

function bundleSize() {
  const dist = 'page/dist'
  let page = 0
  let terminal = 0
  for (const name of readdirSync(dist)) {
    if (!/\.(js|css|html|svg)$/.test(name)) continue
    const size = gzipSync(readFileSync(join(dist, name))).length
    if (name.startsWith('terminal-')) terminal += size
    else page += size
  }
  report('bundle, compressed, without the terminal', [page / 1000], 'kB', { 50: 250 })
  report('terminal, loaded on demand, compressed', [terminal / 1000], 'kB')
}

// begin starts an engine with a number of objects, and a daemon that mirrors them.
async function begin(name, images, containers, volumes) {
  const engine = await SimulatedEngine.start([`-images=${images}`, `-containers=${containers}`, `-volumes=${volumes}`])
  const instance = await Instance.start(name, 'running=true', 'vm.driver=external', `vm.endpoint=${engine.endpoint}`)
  return { engine, instance }
}

// signIn returns the session of a browser, so that others have one from their start.
async function signIn(instance) {
  const browser = await launch()
  const context = await browser.newContext()
  const page = await context.newPage()
  const login = new URL(await instance.loginURL())
  await page.goto(login.href)
  const storageState = await context.storageState()
  await browser.close()
  return { storageState, origin: login.origin }
}

// markFirst records when the element has its text and was painted, in milliseconds since the
// start of the navigation.
function markFirst({ selector, text }) {
  const observer = new MutationObserver(() => {
    if (!document.querySelector(selector)?.textContent.includes(text)) return
    observer.disconnect()
    const painted = new MessageChannel()
    painted.port1.onmessage = () => (window.firstView = performance.now())
    requestAnimationFrame(() => painted.port2.postMessage(0))
  })
  observer.observe(document, { subtree: true, childList: true, characterData: true })
}

// firstView opens a view in a new browser.
async function firstView(session, hash, selector, text) {
  const browser = await launch()
  const context = await browser.newContext({ storageState: session.storageState, viewport: { width: 1280, height: 800 } })
  const page = await context.newPage()
  await page.addInitScript(markFirst, { selector, text })
  await page.goto(`${session.origin}/#/${hash}`)
  const took = await until('the first view', () => page.evaluate(() => window.firstView))
  await browser.close()
  return took
}

async function firstViews(session) {
  const rows = []
  const complete = []
  for (let i = 0; i < 10; i++) rows.push(await firstView(session, 'containers', '.tbody .tr', 'container-'))
  for (let i = 0; i < 10; i++) complete.push(await firstView(session, 'containers', '.summary', '300 of 600'))
  report('first view with 700 mirrors, cold browser, first rows', rows, 'ms', { 50: 300 })
  report('first view with 700 mirrors, cold browser, all rows', complete, 'ms', { 50: 300 })
}

// observeRow records each text of a row with the time at which it was drawn.
function observeRow(name) {
  window.drawn = []
  const cell = [...document.querySelectorAll('.tbody .tr')].find((row) => row.querySelector('.name a')?.textContent === name)
  const observer = new MutationObserver(() => {
    const text = cell.querySelector('.status').textContent
    const painted = new MessageChannel()
    painted.port1.onmessage = () => window.drawn.push({ text, at: performance.timeOrigin + performance.now() })
    painted.port2.postMessage(0)
  })
  observer.observe(cell, { subtree: true, childList: true, characterData: true })
}

async function eventLatency(session, engine) {
  const browser = await launch()
  const context = await browser.newContext({ storageState: session.storageState, viewport: { width: 1280, height: 800 } })
  const page = await context.newPage()
  await page.goto(`${session.origin}/#/containers`)
  await page.getByText('300 of 600').waitFor()
  await page.evaluate(observeRow, 'container-2')
  const latencies = []
  for (let i = 0; i < 400; i++) {
    const verb = i % 2 === 0 ? 'pause' : 'unpause'
    const wanted = i % 2 === 0 ? 'Paused' : 'Up '
    const began = performance.timeOrigin + performance.now()
    await engine.post(`/containers/container-2/${verb}`)
    const drawn = await page.waitForFunction(({ wanted, began }) => window.drawn.find((d) => d.at > began && d.text.startsWith(wanted)), { wanted, began })
    latencies.push((await drawn.jsonValue()).at - began)
    await drawn.dispose()
  }
  await browser.close()
  report('event of the engine until it is drawn', latencies, 'ms', { 50: undefined, 99: 50 })
}

// cpuSeconds returns the CPU time of a process in seconds.
function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ')
  return (Number(fields[11]) + Number(fields[12])) / Number(execFileSync('getconf', ['CLK_TCK']))
}

async function idle(pid, seconds) {
  const before = cpuSeconds(pid)
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  return ((cpuSeconds(pid) - before) / seconds) * 100
}

async function idleCost(session, instance) {
  const seconds = Number(process.env.BENCH_IDLE ?? 60)
  const pid = await instance.pid()
  const alone = await idle(pid, seconds)
  const browser = await launch()
  const context = await browser.newContext({ storageState: session.storageState })
  const page = await context.newPage()
  await page.goto(`${session.origin}/#/containers`)
  await page.getByText('300 of 600').waitFor()
  await idle(pid, 15) // the daemon returns memory after the lists
  const open = await idle(pid, seconds)
  await browser.close()
  report('processor time of the daemon for an open page at rest', [Math.max(0, open - alone)], '%', { 50: 0.2 })
}

async function heap(count) {
  const { engine, instance } = await begin('pbh', 20, count, 0)
  const session = await signIn(instance)
  const browser = await launch()
  const context = await browser.newContext({ storageState: session.storageState, viewport: { width: 1280, height: 800 } })
  const page = await context.newPage()
  await page.goto(`${session.origin}/#/containers`)
  await page.getByText(`of ${count.toLocaleString('en')} containers running`).waitFor()
  const gaps = await page.locator('.tbody').evaluate(scroll)
  const devtools = await context.newCDPSession(page)
  await devtools.send('HeapProfiler.collectGarbage')
  const { usedSize } = await devtools.send('Runtime.getHeapUsage')
  await browser.close()
  await instance.remove()
  engine.stop()
  report(`heap with ${count.toLocaleString('en')} rows`, [usedSize / 2 ** 20], 'MB', { 50: 150 })
  report(`frame while scrolling ${count.toLocaleString('en')} rows`, gaps, 'ms', { 50: undefined, 95: undefined })
}

// scroll returns the times between frames while a list scrolls.
async function scroll(body) {
  const gaps = []
  let last = performance.now()
  for (let i = 0; i < 300; i++) {
    body.scrollTop += 500
    await new Promise(requestAnimationFrame)
    gaps.push(performance.now() - last)
    last = performance.now()
  }
  return gaps
}

// BENCH_PARTS names some of the measurements: size, view, event, idle, heap.
const parts = (process.env.BENCH_PARTS ?? 'size,view,event,idle,heap').split(',')
if (parts.includes('size')) bundleSize()
const { engine, instance } = await begin('pb', 50, 600, 50)
const session = await signIn(instance)
if (parts.includes('view')) await firstViews(session)
if (parts.includes('event')) await eventLatency(session, engine)
if (parts.includes('idle')) await idleCost(session, instance)
await instance.remove()
engine.stop()
if (parts.includes('heap')) await heap(10_000)
mkdirSync('.cache/bench', { recursive: true })
writeFileSync('.cache/bench/page.json', JSON.stringify({ date: new Date(), commit, figures }) + '\n')
process.exit(failed ? 1 : 0)
