// Lines of a container's log.

export interface LogLine {
  // number counts the lines that this view has received.
  number: number
  // time is RFC 3339, or empty if the line has none.
  time: string
  text: string
}

// longest is the length of a line in characters, at which it is cut.
const longest = 64 * 1024

// A character takes one byte, or two if its line has one that Latin-1 lacks.
const mostCharacters = 16 * 1024 * 1024

// LogBuffer keeps the last lines of a stream of chunks: at most a number of them, with at
// most a number of characters.
export class LogBuffer {
  lines: LogLine[] = []
  // dropped is the number of lines that were removed, because there are too many.
  dropped = 0
  private rest = ''
  private count = 0
  private size = 0

  constructor(
    private readonly mostLines = 20_000,
    private readonly mostText = mostCharacters,
  ) {}

  // push adds a chunk. A line without its end waits for the next chunk. A carriage return
  // ends a line too, as programs print it that draw their progress.
  push(chunk: string): void {
    const text = this.rest + chunk
    // The line feed after a carriage return can be in the next chunk.
    const held = text.endsWith('\r') ? '\r' : ''
    const parts = text.slice(0, text.length - held.length).split(/\r+\n?|\n/)
    const last = cut(parts.pop() ?? '')
    this.rest = (last.pop() ?? '') + held
    this.append(parts.flatMap(cut).concat(last))
  }

  // end adds the last line, if it has no end.
  end(): void {
    if (this.rest) this.append([this.rest])
    this.rest = ''
  }

  private append(parts: string[]): void {
    // A new array, so that views notice the change.
    const lines = this.lines.concat(parts.map((part) => this.line(part)))
    for (const line of lines.slice(this.lines.length)) this.size += line.text.length
    let excess = 0
    while (lines.length - excess > this.mostLines || this.size > this.mostText) this.size -= lines[excess++]!.text.length
    this.dropped += excess
    this.lines = excess > 0 ? lines.slice(excess) : lines
  }

  private line(raw: string): LogLine {
    const text = raw.endsWith('\r') ? raw.slice(0, -1) : raw
    const time = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) ?/.exec(text)
    return { number: this.count++, time: time?.[1] ?? '', text: time ? text.slice(time[0].length) : text }
  }
}

// cut returns a line in pieces that are not too long.
function cut(line: string): string[] {
  const pieces: string[] = []
  for (let from = 0; from === 0 || from < line.length; from += longest) pieces.push(line.slice(from, from + longest))
  return pieces
}

export interface Found {
  lines: LogLine[]
  // hits is the number of lines that have the text.
  hits: number
}

// find returns the lines to show for a search: all of them, or those with the text.
export function find(lines: LogLine[], text: string, only: boolean): Found {
  if (!text) return { lines, hits: 0 }
  const wanted = text.toLowerCase()
  const hits = lines.filter((line) => line.text.toLowerCase().includes(wanted))
  return { lines: only ? hits : lines, hits: hits.length }
}

export interface Part {
  text: string
  marked: boolean
}

// mark splits a text at what a user searches for.
export function mark(text: string, wanted: string): Part[] {
  if (!wanted) return [{ text, marked: false }]
  const out: Part[] = []
  const lower = text.toLowerCase()
  const needle = wanted.toLowerCase()
  let from = 0
  for (let at = lower.indexOf(needle); at >= 0; at = lower.indexOf(needle, from)) {
    if (at > from) out.push({ text: text.slice(from, at), marked: false })
    out.push({ text: text.slice(at, at + needle.length), marked: true })
    from = at + needle.length
  }
  if (from < text.length) out.push({ text: text.slice(from), marked: false })
  return out
}
