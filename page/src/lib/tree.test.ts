import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TreeNode } from '../api/types'
import { grow, lines, mergeFailures, search } from './tree'

function node(name: string, state = 'mirrored', rest: Partial<TreeNode> = {}): TreeNode {
  return { name, state, since: '2030-01-01T00:00:00Z', restarts: 0, mailbox: 0, ...rest }
}

const nodes = [
  node('root', 'running'),
  node('root/engine', 'Ready'),
  node('root/engine/session', 'watching'),
  node('root/engine/container/a', 'mirrored', { restarts: 1, mailbox: 2, since: '2030-01-01T00:00:01Z' }),
  node('root/engine/container/b', 'failed', { lastFailure: 'no', lastFailureAt: '2030-01-01T00:00:02Z' }),
  node('root/app', 'Settled'),
]

test('branches follow the names, and mirrors are aggregated', () => {
  const [root] = grow(nodes)
  assert.deepEqual(
    root!.children.map((b) => b.label),
    ['app', 'engine'],
  )
  const [containers, session] = root!.children[1]!.children
  assert.equal(containers!.label, 'container')
  assert.equal(containers!.count, 2)
  assert.equal(containers!.state, '1 failed, 1 mirrored')
  assert.equal(containers!.restarts, 1)
  assert.equal(containers!.mailbox, 2)
  assert.equal(containers!.since, '2030-01-01T00:00:01Z')
  assert.equal(containers!.lastFailure, 'container/b: no')
  assert.equal(session!.label, 'session')
})

test('a closed branch hides those below', () => {
  const names = lines(grow(nodes), new Set(['root/engine'])).map((l) => [l.branch.label, l.depth])
  assert.deepEqual(names, [
    ['root', 0],
    ['app', 1],
    ['engine', 1],
  ])
})

test('an actor is found by the name of its object', () => {
  const found = search(nodes, ['shop'], (name) => (name.endsWith('/b') ? 'shop-web-1' : ''))
  assert.deepEqual(
    found.map((n) => n.name),
    ['root/engine/container/b'],
  )
})

test('failures are merged once, the latest first', () => {
  const first = { name: 'root/vm', error: 'x', at: '2030-01-01T00:00:01Z' }
  const second = { name: 'root/vm', error: 'y', at: '2030-01-01T00:00:02.5Z' }
  const history = mergeFailures([], [first, second])
  assert.deepEqual(history, [second, first])
  assert.equal(mergeFailures(history, [first]), history)
})
