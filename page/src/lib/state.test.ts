import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { App, Container, PruneRequest, Request } from '../api/types'
import { engine, isRefused, waitsFor } from './app'
import { progressText, requestState, samePruned, share } from './requests'
import { diskSize, usage, usedByText } from './usage'

function app(conditions: [type: string, status: 'True' | 'False', reason: string, message?: string][], running = true): App {
  return {
    metadata: { name: 'app', uid: 'app', resourceVersion: '1', generation: 2 },
    spec: { running },
    status: { conditions: conditions.map(([type, status, reason, message = '']) => ({ type, status, reason, message, observedGeneration: 2 })) },
  }
}

test('the engine has a state in words', () => {
  const title = (a: App): string => engine(a).title
  assert.equal(title(app([['Running', 'True', 'Started'], ['ContainerEngineReady', 'True', 'Connected']])), 'Running')
  assert.equal(title(app([['Running', 'True', 'Started'], ['ContainerEngineReady', 'False', 'Disconnected']])), 'Connecting')
  assert.equal(title(app([['Running', 'True', 'Started'], ['ContainerEngineReady', 'False', 'Disconnected']], false)), 'Stopping')
  assert.equal(title(app([['Running', 'False', 'StartFailed', 'no dockerd']])), 'The start failed')
  assert.equal(engine(app([['Running', 'False', 'StartFailed', 'no dockerd']])).text, 'no dockerd')
  assert.equal(title(app([])), 'Unknown')
})

test('Settled says what the App waits for', () => {
  assert.equal(waitsFor(app([['Settled', 'True', 'Settled']])), '')
  assert.equal(waitsFor(app([['Settled', 'False', 'Starting', 'dockerd']])), 'dockerd')
  const changed = app([['Settled', 'True', 'Settled']])
  changed.metadata.generation = 3
  assert.match(waitsFor(changed), /observe the last change/)
  assert.ok(isRefused(app([['Settled', 'False', 'Refused', 'bad']])))
})

test('a request has a state and a progress', () => {
  const request = (type: string, status: 'True' | 'False', reason = ''): Request => ({
    metadata: { name: 'x', uid: 'x', resourceVersion: '1' },
    status: { conditions: [{ type, status, reason, message: '' }] },
  })
  assert.equal(requestState(request('Complete', 'True')), 'complete')
  assert.equal(requestState(request('Failed', 'True')), 'failed')
  assert.equal(requestState(request('Complete', 'False', 'InProgress')), 'running')
  assert.equal(requestState(request('Complete', 'False', 'WaitingForEngine')), 'waiting')
  assert.equal(share({ bytes: 5, totalBytes: 10 }), 0.5)
  assert.equal(share({ layers: 1, totalLayers: 4 }), 0.25)
  assert.equal(share(undefined), undefined)
  assert.equal(progressText({ phase: 'Downloading', layers: 1, totalLayers: 2, bytes: 1000, totalBytes: 2000 }), 'Downloading, 1 of 2 layers, 1 kB of 2 kB')
})

test('two prunes with other objects differ', () => {
  const prune = (prunedCount: number, ...names: string[]): PruneRequest => ({
    metadata: { name: 'x', uid: 'x', resourceVersion: '1' },
    spec: {},
    status: { prunedCount, pruned: names.map((name) => ({ kind: 'Network', name, resource: `net-${name}` })) },
  })
  assert.equal(samePruned(prune(2, 'a', 'b'), prune(2, 'b', 'a')), true)
  assert.equal(samePruned(prune(1, 'a'), prune(1, 'b')), false)
  assert.equal(samePruned(prune(1, 'a'), prune(2, 'a', 'b')), false)
  assert.equal(samePruned(prune(0), prune(0)), true)
})

test('usage reads the containers once', () => {
  const c = (name: string): Container => ({
    metadata: { name, uid: name, resourceVersion: '1' },
    status: { name, imageID: 'sha256:1', mounts: [{ type: 'volume', volume: 'data', destination: '/d' }], networks: [{ name: 'net' }] },
  })
  const found = usage([c('b'), c('a')])
  assert.deepEqual(found.images.get('sha256:1'), ['a', 'b'])
  assert.deepEqual(found.volumes.get('data'), ['a', 'b'])
  assert.deepEqual(found.networks.get('net'), ['a', 'b'])
  assert.equal(usedByText(['a', 'b', 'c', 'd', 'e']), 'a, b, c and 2 more')
  assert.equal(usedByText(undefined), '')
})

test('tags of one image count once', () => {
  const image = (uid: string, id: string) => ({ metadata: { name: uid, uid, resourceVersion: '1' }, status: { id, size: 10 } })
  assert.equal(diskSize([image('1', 'a'), image('2', 'a'), image('3', 'b')]), 20)
})
