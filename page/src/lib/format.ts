// Texts of numbers and times.

// duration returns a length of time in at most two units, as kubectl prints ages: 45s,
// 3m5s, 12m, 4h30m, 26h, 3d.
export function duration(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000))
  if (s < 120) return `${s}s`
  const m = Math.floor(s / 60)
  if (m < 10) return s % 60 ? `${m}m${s % 60}s` : `${m}m`
  if (m < 180) return `${m}m`
  const h = Math.floor(m / 60)
  if (h < 8) return m % 60 ? `${h}h${m % 60}m` : `${h}h`
  if (h < 48) return `${h}h`
  const d = Math.floor(h / 24)
  if (d < 8) return h % 24 ? `${d}d${h % 24}h` : `${d}d`
  if (d < 730) return `${d}d`
  return `${Math.floor(d / 365)}y`
}

// age returns the time since an RFC 3339 time, or an empty text without a time.
export function age(time: string | undefined, now: number): string {
  const at = parseTime(time)
  return at === undefined ? '' : duration(now - at)
}

// since returns the time since a moment as docker ps words it: "3 minutes", "2 hours".
export function since(time: string | undefined, now: number): string {
  const at = parseTime(time)
  if (at === undefined) return ''
  const s = Math.max(0, Math.floor((now - at) / 1000))
  if (s < 1) return 'less than a second'
  const steps: [number, string][] = [
    [60, 'second'],
    [60, 'minute'],
    [24, 'hour'],
    [30, 'day'],
    [12, 'month'],
  ]
  let value = s
  for (const [size, unit] of steps) {
    if (value < size) return `${value} ${unit}${value === 1 ? '' : 's'}`
    value = Math.floor(value / size)
  }
  return `${value} year${value === 1 ? '' : 's'}`
}

// parseTime returns the milliseconds of an RFC 3339 time. The zero time of Go is none.
export function parseTime(time: string | undefined): number | undefined {
  if (!time || time.startsWith('0001-')) return undefined
  const at = Date.parse(time)
  return Number.isNaN(at) ? undefined : at
}

// bytes returns a size with decimal units, as docker prints sizes of images.
export function bytes(n: number | undefined): string {
  return scaled(n, 1000, ['B', 'kB', 'MB', 'GB', 'TB'])
}

// binaryBytes returns a size with binary units, as memory is counted.
export function binaryBytes(n: number | undefined): string {
  return scaled(n, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB'])
}

function scaled(n: number | undefined, base: number, units: string[]): string {
  if (n === undefined || !Number.isFinite(n)) return ''
  let value = n
  let unit = 0
  while (Math.abs(value) >= base && unit < units.length - 1) {
    value /= base
    unit++
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2
  return `${Number(value.toFixed(digits))} ${units[unit]}`
}

// count returns a number with its noun: "1 image", "2 images".
export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${n.toLocaleString('en')} ${n === 1 ? noun : plural}`
}

// clock returns the time of day, 24 hours.
export function clock(ms: number): string {
  const at = new Date(ms)
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((n) => String(n).padStart(2, '0')).join(':')
}

// localTime returns date and time of an RFC 3339 time in the zone of the browser.
export function localTime(time: string | undefined): string {
  const at = parseTime(time)
  if (at === undefined) return ''
  const day = new Date(at)
  const date = [day.getFullYear(), day.getMonth() + 1, day.getDate()].map((n) => String(n).padStart(2, '0')).join('-')
  return `${date} ${clock(at)}`
}

// shortID returns the first twelve characters of an ID, without its algorithm.
export function shortID(id: string | undefined): string {
  return (id ?? '').replace(/^sha256:/, '').slice(0, 12)
}

// capital returns the text with a capital first letter.
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
