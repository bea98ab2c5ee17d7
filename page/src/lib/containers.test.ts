import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Condition, Container } from '../api/types'
import { cause, compare, containerKey, failedAction, groups, matches, possibleActions, progressText, publishedPorts, refusal, statusText, tone, wordsOf } from './containers'

const now = Date.parse('2030-01-02T03:04:05Z')

function ago(seconds: number): string {
  return new Date(now - seconds * 1000).toISOString()
}

function container(status: Container['status'], rest: Partial<Container> = {}): Container {
  const name = status?.name ?? 'web'
  return { metadata: { name: name.padEnd(64, '0'), uid: name, resourceVersion: '1' }, ...rest, status: { name, ...status } }
}

function condition(type: string, status: Condition['status'], message: string): Condition {
  return { type, status, reason: 'X', message }
}

test('status is worded as by docker ps', () => {
  assert.equal(statusText(container({ status: 'running', startedAt: ago(180) }), now), 'Up 3 minutes')
  assert.equal(statusText(container({ status: 'exited', exitCode: 3, finishedAt: ago(7200) }), now), 'Exited (3) 2 hours ago')
  assert.equal(statusText(container({ status: 'created', error: 'no' }), now), 'Created (start failed)')
  assert.equal(statusText(container({ status: 'dead' }), now), 'Dead')
  assert.equal(statusText(container(undefined), now), 'Unknown')
})

test('tone follows status and health', () => {
  assert.equal(tone(container({ status: 'running' })), 'good')
  assert.equal(tone(container({ status: 'running', health: { status: 'unhealthy' } })), 'bad')
  assert.equal(tone(container({ status: 'exited', exitCode: 0 })), 'off')
  assert.equal(tone(container({ status: 'exited', exitCode: 1 })), 'bad')
  assert.equal(tone(container({ status: 'paused' })), 'warn')
})

test('refusal has the words of the engine', () => {
  const message = 'Error response from daemon: port is already allocated'
  assert.equal(refusal(container({ conditions: [condition('StateReached', 'False', message)] }, { spec: { state: 'running' } }), now), 'Start refused: port is already allocated')
  const deleted = container({ conditions: [condition('EngineDeleted', 'False', 'it runs')] })
  assert.equal(refusal(deleted, now), '')
  deleted.metadata.deletionTimestamp = ago(1)
  assert.equal(refusal(deleted, now), 'Delete refused: it runs')
})

test('a failed action is shown for ten minutes, or until the next start', () => {
  const failed = (seconds: number) => ({ action: 'pause', state: 'Failed' as const, error: message, completedAt: ago(seconds) })
  const message = 'not running'
  assert.equal(refusal(container({ lastAction: failed(60) }), now), 'Pause refused: not running')
  assert.equal(refusal(container({ lastAction: failed(601) }), now), '')
  assert.equal(refusal(container({ lastAction: failed(60), startedAt: ago(30) }), now), '')
  assert.equal(refusal(container({ lastAction: { ...failed(60), state: 'Succeeded' } }), now), '')
})

test('a failed action is not the failure of an earlier one', () => {
  const earlier = { action: 'stop', state: 'Failed' as const, error: 'busy', completedAt: ago(60) }
  const failed = container({ lastAction: { ...earlier, completedAt: ago(1), error: 'Error response from daemon: no' } })
  assert.equal(failedAction(failed, 'stop', earlier), 'no')
  assert.equal(failedAction(failed, 'stop', { action: 'stop', state: 'Running' }), 'no')
  assert.equal(failedAction(failed, 'kill', earlier), undefined)
  assert.equal(failedAction(container({ lastAction: earlier }), 'stop', earlier), undefined)
  assert.equal(failedAction(container({ lastAction: { action: 'stop', state: 'Running' } }), 'stop', earlier), undefined)
})

test('possible actions follow the status', () => {
  assert.deepEqual(possibleActions(container({ status: 'running' })), ['stop', 'restart', 'pause', 'kill'])
  assert.deepEqual(possibleActions(container({ status: 'exited' })), ['start'])
  assert.deepEqual(possibleActions(container({ status: 'paused' })), ['unpause', 'stop', 'restart'])
  const deleted = container({ status: 'running' })
  deleted.metadata.deletionTimestamp = ago(1)
  assert.deepEqual(possibleActions(deleted), [])
})

test('an action in progress has words', () => {
  const c = container({ status: 'running' })
  assert.equal(progressText(c), '')
  c.metadata.annotations = { 'containers.rancherdesktop.io/action': 'stop' }
  assert.equal(progressText(c), 'Stopping')
  assert.equal(progressText(container({ lastAction: { action: 'restart', state: 'Running' } })), 'Restarting')
})

test('ports are links where a browser can open them', () => {
  const ports = publishedPorts([
    {
      containerPort: 80,
      protocol: 'tcp',
      bindings: [
        { hostIP: '0.0.0.0', hostPort: 8080 },
        { hostIP: '::', hostPort: 8080 },
      ],
    },
    { containerPort: 443, protocol: 'tcp', bindings: [{ hostIP: '127.0.0.1', hostPort: 8443 }] },
    { containerPort: 53, protocol: 'udp', bindings: [{ hostIP: '::1', hostPort: 53 }] },
    { containerPort: 9000, protocol: 'tcp' },
  ])
  assert.deepEqual(ports, [{ text: '8080→80', url: 'http://localhost:8080/' }, { text: '8443→443', url: 'https://127.0.0.1:8443/' }, { text: '53→53/udp' }])
})

test('groups are sorted, and those without a project come last', () => {
  const of = (name: string, project?: string) => container({ name, status: 'running', labels: project ? { 'com.docker.compose.project': project } : {} })
  const list = groups([of('z'), of('web-10', 'shop'), of('web-2', 'shop'), of('a', 'blog')])
  assert.deepEqual(
    list.map((g) => [g.project, g.running, g.members.map((c) => c.status?.name)]),
    [
      ['blog', 1, ['a']],
      ['shop', 2, ['web-2', 'web-10']],
      ['', 1, ['z']],
    ],
  )
})

test('names compare with their numbers', () => {
  const sorted = ['b', 'a10', 'a2', 'a02', 'a', 'a2b'].sort(compare)
  assert.deepEqual(sorted, ['a', 'a02', 'a2', 'a2b', 'a10', 'b'])
  assert.equal(compare('x', 'x'), 0)
})

test('a search has to match all words', () => {
  const c = container({ name: 'web', image: 'nginx:1.27', status: 'running', ports: [{ containerPort: 80, protocol: 'tcp', bindings: [{ hostPort: 8080 }] }] })
  assert.ok(matches(c, wordsOf('')))
  assert.ok(matches(c, wordsOf(' NGINX web ')))
  assert.ok(matches(c, wordsOf('8080')))
  assert.ok(!matches(c, wordsOf('nginx db')))
})

test('the key has all that the order of rows depends on', () => {
  const before = container({ name: 'a', status: 'running' })
  assert.notEqual(containerKey(before), containerKey(container({ name: 'a', status: 'exited' })))
  assert.equal(containerKey(before), containerKey(container({ name: 'a', status: 'running', health: { status: 'healthy' } })))
})

test('cause removes the prefix of the client', () => {
  assert.equal(cause('Error response from daemon: Error response from daemon: x'), 'x')
})
