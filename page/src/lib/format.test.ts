import assert from 'node:assert/strict'
import { test } from 'node:test'
import { age, binaryBytes, bytes, capital, count, duration, parseTime, shortID, since } from './format'

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

test('duration has at most two units', () => {
  const cases: [number, string][] = [
    [-5, '0s'],
    [0, '0s'],
    [119 * second, '119s'],
    [2 * minute, '2m'],
    [3 * minute + 5 * second, '3m5s'],
    [10 * minute + 5 * second, '10m'],
    [179 * minute, '179m'],
    [3 * hour, '3h'],
    [4 * hour + 30 * minute, '4h30m'],
    [47 * hour, '47h'],
    [48 * hour, '2d'],
    [3 * day + 2 * hour, '3d2h'],
    [9 * day + 2 * hour, '9d'],
    [800 * day, '2y'],
  ]
  for (const [ms, want] of cases) assert.equal(duration(ms), want)
})

test('since is worded as by docker ps', () => {
  const now = Date.parse('2030-01-02T03:04:05Z')
  const at = (ms: number): string => new Date(now - ms).toISOString()
  assert.equal(since(at(0), now), 'less than a second')
  assert.equal(since(at(second), now), '1 second')
  assert.equal(since(at(59 * second), now), '59 seconds')
  assert.equal(since(at(minute), now), '1 minute')
  assert.equal(since(at(26 * hour), now), '1 day')
  assert.equal(since(at(40 * day), now), '1 month')
  assert.equal(since(at(800 * day), now), '2 years')
})

test('times without a value are empty', () => {
  assert.equal(age(undefined, 0), '')
  assert.equal(since('0001-01-01T00:00:00Z', 0), '')
  assert.equal(parseTime('no time'), undefined)
})

test('sizes have three digits', () => {
  assert.equal(bytes(0), '0 B')
  assert.equal(bytes(999), '999 B')
  assert.equal(bytes(1983000), '1.98 MB')
  assert.equal(bytes(192_400_000), '192 MB')
  assert.equal(binaryBytes(2 * 2 ** 30), '2 GiB')
  assert.equal(binaryBytes(1536), '1.5 KiB')
  assert.equal(bytes(undefined), '')
})

test('counts have their noun', () => {
  assert.equal(count(1, 'image'), '1 image')
  assert.equal(count(0, 'image'), '0 images')
  assert.equal(count(12345, 'row'), '12,345 rows')
  assert.equal(capital('stop'), 'Stop')
  assert.equal(shortID('sha256:0123456789abcdef'), '0123456789ab')
})
